package sso

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/drawbridge-id/drawbridge/identity"
)

const (
	// refreshLook is how often a replica looks whether some metadata is to be read.
	refreshLook = 30 * time.Second
	// reportTimeout bounds the writing of how a refresh ended when the program is about to stop.
	reportTimeout = 5 * time.Second
)

// alarming are the codes of metadata that somebody may have put there who is not the provider: administrators are written to.
var alarming = []string{"saml.other_provider", "saml.metadata_signature", "saml.metadata_expired"}

// Refresh reads the metadata of a connection's provider again and takes over what it says, or keeps it for approval: see provisioning.ApplyMetadata. An
// error leaves every setting as it was; its message, which the connection's health keeps too, is for administrators.
func (d *Door) Refresh(ctx context.Context, by identity.Actor, id identity.ConnectionID) (identity.MetadataRefresh, error) {
	var out identity.MetadataRefresh
	c, err := d.provisioning.Connection(ctx, by, id)
	if err != nil {
		return out, err
	}
	if c.Kind != identity.SAML || c.SAML.MetadataURL == "" {
		return out, identity.Errorf(identity.Precondition, "This connection has no address of its provider's metadata. Enter one, or import the metadata as a file.").WithField("metadataurl")
	}
	read, err := d.Metadata(ctx, c.SAML.MetadataURL, c.SAML)
	if err == nil {
		out, err = d.provisioning.ApplyMetadata(ctx, by, id, read)
	}
	return out, errors.Join(err, d.report(ctx, by, c, out, err))
}

// report keeps how a refresh ended. What is no fault of the metadata, such as a database that is away, says nothing about the provider.
func (d *Door) report(ctx context.Context, by identity.Actor, c identity.Connection, out identity.MetadataRefresh, failure error) error {
	if ctx.Err() != nil {
		return nil // we stopped; the provider did nothing wrong
	}
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	var why *identity.Error
	switch {
	case failure == nil && out.Rejected:
		return d.provisioning.ReportConnection(ctx, c.ID, "The provider's metadata still has a change that was rejected, so it is not followed. Settle it with the provider.")
	case failure == nil:
		return d.provisioning.ReportConnection(ctx, c.ID, "")
	case !errors.As(failure, &why) || why.Kind == identity.Internal:
		return nil
	case slices.Contains(alarming, why.Code):
		return d.provisioning.RefuseMetadata(ctx, by, c.ID, why)
	}
	return d.provisioning.ReportConnection(ctx, c.ID, why.Message)
}

// KeepMetadata refreshes every connection that has an address of metadata, each as often as every says, until ctx ends. Any number of replicas may do it:
// the database decides which of them reads which metadata when.
func (d *Door) KeepMetadata(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(refreshLook)
	defer tick.Stop()
	for {
		if _, err := d.RefreshDue(ctx, every); err != nil && ctx.Err() == nil {
			d.log.ErrorContext(ctx, "refreshing metadata failed; it will be tried again", "in", refreshLook, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// RefreshDue refreshes what is due now, one after the other, and returns how many there were. A provider that fails holds up nobody else.
func (d *Door) RefreshDue(ctx context.Context, every time.Duration) (int, error) {
	by := identity.System()
	by.Door = "sso"
	for n := 0; ; n++ {
		id, err := d.provisioning.ClaimMetadataRefresh(ctx)
		if identity.KindOf(err) == identity.NotFound {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		_, failure := d.Refresh(ctx, by, id)
		if failure != nil {
			d.log.WarnContext(ctx, "the metadata of a connection was not taken over", "connection", id, "error", failure)
		}
		if ctx.Err() != nil {
			return n, ctx.Err() // the claim runs out, and another replica reads it
		}
		if err := d.provisioning.FinishMetadataRefresh(ctx, id, every, failure != nil); err != nil {
			return n, err
		}
	}
}
