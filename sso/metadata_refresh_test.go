package sso_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
	"github.com/drawbridge-id/drawbridge/provisioning"
	"github.com/drawbridge-id/drawbridge/sso"
	"github.com/drawbridge-id/drawbridge/store/storetest"
)

func TestM02MetadataThatIsTooLargeSlowOrEndlessLeavesTheOldInForce(t *testing.T) {
	if sso.FetchTimeout != 10*time.Second {
		t.Errorf("a provider has %v for its answer", sso.FetchTimeout)
	}
	renewals(t, func(t *testing.T, r *renewal) {
		sso.Hurry(r.door, 500*time.Millisecond)
		before := r.settings()
		for name, answer := range map[string]http.HandlerFunc{
			"too large": func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte("<x>" + strings.Repeat(" ", 3<<20)))
			},
			"slow": func(w http.ResponseWriter, req *http.Request) {
				_, _ = w.Write([]byte("<"))
				_ = http.NewResponseController(w).Flush()
				<-req.Context().Done()
			},
			"endless": func(w http.ResponseWriter, req *http.Request) {
				for req.Context().Err() == nil {
					if _, err := w.Write([]byte(strings.Repeat(" ", 64<<10))); err != nil {
						return
					}
				}
			},
			"away": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		} {
			r.does(answer)
			if _, err := r.refresh(); identity.KindOf(err) != identity.Invalid || identity.CodeOf(err) != "saml.metadata_unreachable" {
				t.Errorf("%s: %v", name, err)
			}
			if h := r.health(); !strings.Contains(h.Failure, "cannot be fetched") {
				t.Errorf("%s: the health says %q", name, h.Failure)
			}
		}
		if after := r.settings(); hexOf(after.Certificates[0]) != hexOf(before.Certificates[0]) || after.SSOURL != before.SSOURL {
			t.Error("the settings changed")
		}
		r.wantEvents()
		r.signsIn(r.old(), "")
		r.says(string(r.saml.Metadata()))
		if _, err := r.refresh(); err != nil || r.health().Failure != "" || r.health().SucceededAt == nil {
			t.Errorf("well again, and still: %v, %q", err, r.health().Failure)
		}
	})
}

func TestM04MetadataOfAnotherProviderIsRefusedAndAdministratorsAreTold(t *testing.T) {
	renewals(t, func(t *testing.T, r *renewal) {
		r.says(strings.Replace(r.metadataWith(newer().cert), r.saml.EntityID(), "https://other.example/metadata", 1))
		for range 2 { // told once, however often it is read
			if _, err := r.refresh(); identity.CodeOf(err) != "saml.other_provider" {
				t.Fatalf("%v", err)
			}
		}
		r.wantTrust(r.old().cert)
		r.wantEvents(identity.MetadataRefused)
		r.wantMails("was refused")
		if h := r.health(); !strings.Contains(h.Failure, "other.example") {
			t.Errorf("the health says %q", h.Failure)
		}
		r.signsIn(r.old(), "")
		r.signsIn(newer(), "saml.bad_certificate")
	})
}

func TestM05ANewCertificateIsTrustedBesideTheOldOne(t *testing.T) {
	renewals(t, func(t *testing.T, r *renewal) {
		r.says(r.metadataWith(newer().cert, r.old().cert))
		out, err := r.refresh()
		if err != nil || len(out.Changes) != 1 || out.Changes[0].Field != "certificates" {
			t.Fatalf("%+v, %v", out, err)
		}
		r.wantTrust(r.old().cert, newer().cert)
		r.wantEvents(identity.MetadataChanged)
		r.wantMails("has changed")
		r.signsIn(r.old(), "")
		r.signsIn(newer(), "")
		if out, err := r.refresh(); err != nil || len(out.Changes) != 0 {
			t.Errorf("the same metadata again: %+v, %v", out, err)
		}

		r.says(r.metadataWith(newer().cert))
		if _, err := r.refresh(); err != nil {
			t.Fatal(err)
		}
		r.wantTrust(r.old().cert, newer().cert)
		goes := r.settings().Retiring[hexOf(r.old().cert)]
		if left := time.Until(goes); left < 6*24*time.Hour || left > 8*24*time.Hour {
			t.Errorf("the old certificate goes in %v", left)
		}
		r.signsIn(r.old(), "")

		r.change(func(s *identity.SAMLSettings) { s.Retiring = map[string]time.Time{hexOf(r.old().cert): time.Now()} })
		if _, err := r.refresh(); err != nil {
			t.Fatal(err)
		}
		r.wantTrust(newer().cert)
		r.wantEvents(identity.MetadataChanged, identity.MetadataChanged, identity.MetadataChanged)
		r.wantMails("has changed")
		r.signsIn(r.old(), "saml.bad_certificate")
		r.signsIn(newer(), "")
	})
}

func TestM06OtherCertificatesWaitForApprovalWhereTheyArePinned(t *testing.T) {
	t.Run("not pinned: in force and audited", func(t *testing.T) {
		renewals(t, func(t *testing.T, r *renewal) {
			r.says(r.metadataWith(newer().cert))
			if out, err := r.refresh(); err != nil || len(out.Changes) == 0 || out.Held != nil {
				t.Fatalf("%+v, %v", out, err)
			}
			r.wantTrust(r.old().cert, newer().cert)
			r.wantEvents(identity.MetadataChanged)
			r.wantMails("has changed")
		})
	})
	t.Run("pinned: held until somebody decides", func(t *testing.T) {
		renewals(t, func(t *testing.T, r *renewal) {
			r.change(func(s *identity.SAMLSettings) { s.PinCertificates = true })
			r.says(r.metadataWith(newer().cert))
			var held *identity.MetadataChange
			for range 2 { // told once
				out, err := r.refresh()
				if err != nil || out.Held == nil || len(out.Changes) != 0 {
					t.Fatalf("%+v, %v", out, err)
				}
				held = out.Held
			}
			r.wantTrust(r.old().cert)
			r.wantEvents(identity.MetadataHeld)
			r.wantMails("Approve or reject")
			r.signsIn(newer(), "saml.bad_certificate")
			r.reject(held.Digest)
			r.approve(held.Digest)
		})
	})
}

// reject rejects what waits; the same metadata is then not asked about again.
func (r *renewal) reject(digest string) {
	r.t.Helper()
	pending, err := r.people.PendingMetadata(r.t.Context(), r.operator, r.viaSAML.ID)
	if err != nil || pending.Digest != digest || len(pending.Changes) == 0 {
		r.t.Fatalf("%+v, %v", pending, err)
	}
	if err := r.people.RejectMetadata(r.t.Context(), r.operator, r.viaSAML.ID, digest); err != nil {
		r.t.Fatal(err)
	}
	out, err := r.refresh()
	if err != nil || out.Held != nil || !out.Rejected || !strings.Contains(r.health().Failure, "rejected") {
		r.t.Errorf("after the rejection: %+v, %v, %q", out, err, r.health().Failure)
	}
	r.wantEvents(identity.MetadataHeld, identity.MetadataRejected)
	r.wantTrust(r.old().cert)
}

// approve lets a change of two certificates in: only as it was looked at, and by whom the platform is.
func (r *renewal) approve(stale string) {
	r.t.Helper()
	ctx, third := r.t.Context(), newPair()
	r.says(r.metadataWith(newer().cert, third.cert))
	out, err := r.refresh()
	if err != nil || out.Held == nil {
		r.t.Fatalf("%+v, %v", out, err)
	}
	if err := r.people.ApproveMetadata(ctx, r.operator, r.viaSAML.ID, stale); identity.KindOf(err) != identity.Precondition {
		r.t.Errorf("a change that nobody looked at was approved: %v", err)
	}
	stranger := identity.Actor{Kind: identity.ActorUser, ID: string(identity.NewID[identity.UserID]()), Roles: []identity.RoleID{"viewer"}}
	if err := r.people.ApproveMetadata(ctx, stranger, r.viaSAML.ID, out.Held.Digest); identity.KindOf(err) != identity.Forbidden {
		r.t.Errorf("a viewer approved it: %v", err)
	}
	if err := r.people.ApproveMetadata(ctx, r.operator, r.viaSAML.ID, out.Held.Digest); err != nil {
		r.t.Fatal(err)
	}
	r.wantTrust(r.old().cert, newer().cert, third.cert)
	r.wantEvents(identity.MetadataHeld, identity.MetadataRejected, identity.MetadataHeld, identity.MetadataApproved)
	r.signsIn(newer(), "")
	if _, err := r.people.PendingMetadata(ctx, r.operator, r.viaSAML.ID); identity.KindOf(err) != identity.NotFound {
		r.t.Errorf("it still waits: %v", err)
	}
	if out, err := r.refresh(); err != nil || out.Held != nil || len(out.Changes) != 0 {
		r.t.Errorf("approved, and still: %+v, %v", out, err)
	}
}

func TestAHostThatChangesWaitsWhereCertificatesArePinned(t *testing.T) {
	renewals(t, func(t *testing.T, r *renewal) {
		r.change(func(s *identity.SAMLSettings) { s.PinCertificates = true })
		good := string(r.saml.Metadata())
		sso := r.settings().SSOURL
		r.says(strings.Replace(good, `Location="`+sso, `Location="`+sso+"?tenant=7", 1))
		if out, err := r.refresh(); err != nil || len(out.Changes) != 1 || r.settings().SSOURL != sso+"?tenant=7" {
			t.Fatalf("another path: %+v, %v", out, err)
		}
		r.says(strings.Replace(good, `Location="`+sso, `Location="https://phish.example/sso`, 1))
		if out, err := r.refresh(); err != nil || out.Held == nil || r.settings().SSOURL != sso+"?tenant=7" {
			t.Fatalf("another host: %+v, %v", out, err)
		}
		r.says(good)
		if out, err := r.refresh(); err != nil || out.Held != nil {
			t.Fatalf("taken back: %+v, %v", out, err)
		}
		r.wantEvents(identity.MetadataChanged, identity.MetadataHeld, identity.MetadataRejected, identity.MetadataChanged)
	})
}

func TestMetadataIsReadByOneReplicaOnlyAndSoonerAfterAFailure(t *testing.T) {
	storetest.EachURL(t, func(t *testing.T, url string) {
		first := &renewal{house: build(t, storetest.Open(t, url))}
		second := sso.New(sso.Options{Provisioning: provisioning.New(storetest.Open(t, url), first.people.Model()), Authn: first.authn, URL: first.url, AllowPrivate: true})
		first.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			first.mu.Lock()
			defer first.mu.Unlock()
			first.asked++
			w.WriteHeader(http.StatusServiceUnavailable)
		}))
		t.Cleanup(first.server.Close)
		first.change(func(s *identity.SAMLSettings) { s.MetadataURL = first.server.URL })
		var both sync.WaitGroup
		for _, d := range []*sso.Door{first.door, second, first.door, second} {
			both.Go(func() {
				if _, err := d.RefreshDue(context.WithoutCancel(t.Context()), time.Hour); err != nil {
					t.Errorf("%v", err)
				}
			})
		}
		both.Wait()
		if first.asked != 1 {
			t.Errorf("the provider was asked %d times", first.asked)
		}
		if n, err := second.RefreshDue(t.Context(), time.Hour); n != 0 || err != nil {
			t.Errorf("%d were due again at once (%v)", n, err)
		}
		if !strings.Contains(first.health().Failure, "503") {
			t.Errorf("the health says %q", first.health().Failure)
		}
	})
}
