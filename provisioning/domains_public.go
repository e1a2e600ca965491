package provisioning

import "slices"

// publicDomains are those of providers where everybody gets an address. No tenant can own one: who is trusted for it is trusted for strangers.
var publicDomains = []string{
	"126.com", "163.com", "aol.com", "duck.com", "fastmail.com", "free.fr", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hey.com",
	"hotmail.com", "hotmail.co.uk", "hotmail.de", "hotmail.fr", "hushmail.com", "icloud.com", "laposte.net", "libero.it", "live.com", "mac.com", "mail.com", "mail.ru",
	"mailbox.org", "me.com", "msn.com", "naver.com", "orange.fr", "outlook.com", "outlook.de", "outlook.fr", "pm.me", "posteo.de", "proton.me", "protonmail.com", "qq.com",
	"rambler.ru", "t-online.de", "tuta.io", "tutanota.com", "web.de", "wp.pl", "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.com", "yandex.ru",
	"ymail.com", "zoho.com",
}

func public(domain string) bool { return slices.Contains(publicDomains, domain) }
