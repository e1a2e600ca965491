package console

import "html/template"

// icons are drawn on a grid of 16 with a line of 1.5.
var icons = map[string]string{
	"users":        `<circle cx="6" cy="5.25" r="2.5"/><path d="M1.75 13c.4-2.6 2-4 4.25-4s3.85 1.4 4.25 4M10.5 3a2.4 2.4 0 0 1 0 4.5M12 9.4c1.3.6 2 1.8 2.25 3.6"/>`,
	"inbox":        `<path d="M2 9.5 3.6 3h8.8L14 9.5V13H2V9.5h3.2c.3 1.2 1.3 2 2.8 2s2.5-.8 2.8-2H14M8 4.8v3M6.6 6.6 8 8l1.4-1.4"/>`,
	"review":       `<circle cx="6.5" cy="5.25" r="2.5"/><path d="M2 13c.4-2.6 2.1-4 4.5-4 .9 0 1.700.2 2.400.6M12.3 13.500v.01M10.900 9.300c.1-1 .8-1.500 1.600-1.500.9 0 1.600.6 1.600 1.400 0 1.200-1.700 1.200-1.800 2.500"/>`,
	"tenants":      `<path d="M2.5 13.5V3.5L8 2v11.5M8 6h5.5v7.5M1.5 13.5h13M4.8 5.5h.9M4.8 8h.9M4.8 10.5h.9M10.5 8.5h.9M10.5 11h.9"/>`,
	"directory":    `<path d="M9 2.5h3.5a1 1 0 0 1 1 1v9a1 1 0 0 1-1 1H9M2 8h7.5M7 5.3 9.7 8 7 10.7"/>`,
	"connection":   `<circle cx="5" cy="8" r="2.75"/><path d="M7.75 8h6.5M12 8v2.5M14.25 8v1.75"/>`,
	"import":       `<path d="M8 2.250v7.250M5 6.700 8 9.700l3-3M2.250 10.500v3h11.500v-3"/>`,
	"export":       `<path d="M8 9.700V2.500M5 5.200l3-3 3 3M2.250 10.500v3h11.500v-3"/>`,
	"source":       `<path d="M2.500 4.250c0-1 2.500-1.750 5.500-1.750s5.500.75 5.500 1.750S11 6 8 6s-5.500-.75-5.500-1.750zM2.500 4.250v7.500c0 1 2.500 1.750 5.500 1.750s5.500-.75 5.500-1.750v-7.500M2.500 8c0 1 2.500 1.750 5.500 1.750S13.500 9 13.500 8"/>`,
	"domain":       `<circle cx="8" cy="8" r="6"/><path d="M2 8h12M8 2c2.3 1.8 2.3 10.2 0 12M8 2c-2.3 1.8-2.3 10.2 0 12"/>`,
	"signin":       `<path d="M3 13.5V6a5 5 0 0 1 10 0v7.5M1.5 13.5h13M8 13.5V4.5M10 9v1"/>`,
	"requests":     `<path d="M2 4.5h9M2 8h12M2 11.5h6M12.5 2.7 14.3 4.5l-1.8 1.8"/>`,
	"events":       `<circle cx="8" cy="8" r="6"/><path d="M8 4.5V8l2.3 1.5"/>`,
	"statistics":   `<path d="M2 13.500h12M4 11V8M8 11V3M12 11V5.500"/>`,
	"account":      `<circle cx="8" cy="5.5" r="2.75"/><path d="M2.75 13.750c.5-3 2.5-4.5 5.25-4.5s4.75 1.5 5.25 4.5"/>`,
	"menu":         `<path d="M2 4.5h12M2 8h12M2 11.5h12"/>`,
	"search":       `<circle cx="7" cy="7" r="4.25"/><path d="m10.2 10.2 3.6 3.6"/>`,
	"arrow":        `<path d="M2.5 8h10.5M9.3 4.3 13 8l-3.7 3.7"/>`,
	"plus":         `<path d="M8 3v10M3 8h10"/>`,
	"leaver":       `<circle cx="6" cy="5.25" r="2.5"/><path d="M1.75 13c.4-2.6 2-4 4.25-4 1 0 1.900.300 2.600.800M9.500 12h5M12.500 10l2 2-2 2"/>`,
	"group":        `<circle cx="8" cy="4.750" r="2.250"/><path d="M4 13.250c.3-2.500 1.800-4 4-4s3.700 1.500 4 4M3.250 6.750a1.900 1.900 0 0 0-.5 3.600M12.750 6.750a1.900 1.900 0 0 1 .5 3.600"/>`,
	"unit":         `<path d="M6 2.500h4v3H6zM2 10.500h4v3H2zM10 10.500h4v3h-4zM8 5.500V8M4 10.500V8h8v2.500"/>`,
	"type":         `<path d="M2.500 3v4.500l6 6 5-5-6-6H3a.5.5 0 0 0-.5.5zM5.500 5.500v.01"/>`,
	"record":       `<path d="M3 2.500h10v11H3zM5.500 6a2.500 2 0 0 0 5 0M5.500 11h5M8 4.500v.01"/>`,
	"gear":         `<circle cx="8" cy="8" r="4.250"/><circle cx="8" cy="8" r="1.500"/><path d="M8 3.750v-2M8 14.250v-2M3.750 8h-2M14.250 8h-2M5 5 3.580 3.580M12.420 12.420 11 11M11 5l1.420-1.420M5 11l-1.420 1.420"/>`,
	"settings":     `<path d="M2 4.500h6.500M12 4.500h2M2 11.500h2M7.500 11.500H14"/><circle cx="10.250" cy="4.500" r="1.750"/><circle cx="5.750" cy="11.500" r="1.750"/>`,
	"role":         `<path d="M8 1.750 13.250 4v3.750c0 3.200-2.100 5.500-5.250 6.500-3.150-1-5.250-3.300-5.250-6.500V4zM5.750 8l1.600 1.600 3-3.200"/>`,
	"access":       `<path d="M2.500 2.500h11v11h-11zM2.500 6.200h11M6.200 2.500v11M8.600 9.800l1 1 1.900-2"/>`,
	"accessreview": `<path d="M10.500 3h2a.75.75 0 0 1 .75.750v9a.75.75 0 0 1-.75.750h-9a.75.75 0 0 1-.75-.750v-9A.75.75 0 0 1 3.500 3h2M5.750 1.750h4.500v2.500h-4.500zM5.500 8.900l1.800 1.800 3.200-3.400"/>`,
	"edit":         `<path d="M9.700 3.600 12.400 6.300M2.500 13.500l.6-3 7.700-7.700a1.400 1.400 0 0 1 2 0l.4.400a1.400 1.400 0 0 1 0 2l-7.700 7.700z"/>`,
	"delete":       `<path d="M2.500 4.250h11M6 4V2.500h4V4M4 4.250l.6 9.250h6.800l.6-9.250M6.700 7v4M9.300 7v4"/>`,
	"out":          `<path d="M7 2.5H3.5a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1H7M6.5 8H14M11.3 5.3 14 8l-2.7 2.7"/>`,
	"mail":         `<path d="M2 3.750h12v8.500H2zM2.300 4.200 8 8.750l5.700-4.550"/>`,
	"microsoft":    `<path d="M2.500 2.500h4.750v4.750H2.500zM8.750 2.500h4.750v4.750H8.750zM2.500 8.750h4.750v4.750H2.500zM8.750 8.750h4.750v4.750H8.750z"/>`,
	"google":       `<path d="M12.700 4.400A5.750 5.750 0 1 0 13.750 8H8.500"/>`,
}

// icon draws one of the icons; it is decoration, so screen readers pass over it.
func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`)
}

// providerIcon is the sign of a provider whom the access model names; a key for others.
func providerIcon(name string) template.HTML {
	if _, ok := icons[name]; !ok {
		name = "connection"
	}
	return icon(name)
}
