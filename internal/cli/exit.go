package cli

import (
	"context"
	"errors"
	"io/fs"

	"github.com/ingot-imaging/ingot/internal/adapt"
	"github.com/ingot-imaging/ingot/internal/block"
	"github.com/ingot-imaging/ingot/internal/block/host"
	"github.com/ingot-imaging/ingot/internal/browse"
	"github.com/ingot-imaging/ingot/internal/capture"
	"github.com/ingot-imaging/ingot/internal/catalog"
	"github.com/ingot-imaging/ingot/internal/customise/windows"
	"github.com/ingot-imaging/ingot/internal/deploy"
	"github.com/ingot-imaging/ingot/internal/files"
	"github.com/ingot-imaging/ingot/internal/fit"
	"github.com/ingot-imaging/ingot/internal/gc"
	"github.com/ingot-imaging/ingot/internal/hive"
	"github.com/ingot-imaging/ingot/internal/mount"
	"github.com/ingot-imaging/ingot/internal/part"
	"github.com/ingot-imaging/ingot/internal/profile"
	"github.com/ingot-imaging/ingot/internal/resize"
	"github.com/ingot-imaging/ingot/internal/store"
	"github.com/ingot-imaging/ingot/internal/store/remote"
	"github.com/ingot-imaging/ingot/internal/tool"
	"github.com/ingot-imaging/ingot/internal/trust"
	"github.com/ingot-imaging/ingot/internal/verify"
	"github.com/ingot-imaging/ingot/internal/volume"
	"github.com/ingot-imaging/ingot/internal/wim"
	"github.com/ingot-imaging/ingot/internal/wire"
)

// errUnreadable ends a command that did its work around unreadable sectors.
var errUnreadable = errors.New("some sectors could not be read; they are recorded in the image and read as zeros")

// exitCode sorts an error into the contract. Where several fit, the one that
// says more about the user's data wins.
func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return wire.ExitDone
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return wire.ExitInterrupted
	case errors.Is(err, errUnreadable):
		return wire.ExitUnreadable
	case is[*CodedError](err):
		var coded *CodedError
		errors.As(err, &coded)
		return coded.Code
	case is[usageError](err), is[*wim.ChoiceError](err), is[*profile.Error](err), is[*fit.OptionError](err):
		return wire.ExitUsage
	case is[*store.IntegrityError](err), is[*store.ChunkError](err), errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrShort),
		is[*deploy.ReadbackError](err), is[*verify.DifferenceError](err), is[*verify.DamageError](err),
		is[*gc.UnreadableError](err), is[*gc.DamageError](err), is[*damagedStoreError](err), is[*adapt.NoBootError](err), is[*adapt.DifferentError](err), is[*imagesDifferError](err), is[*files.FormatError](err):
		return wire.ExitIntegrity
	case is[*refusedError](err), is[*seriousError](err), is[*capture.RefusedError](err), is[*deploy.RefusedError](err), is[*deploy.TooSmallError](err), is[*volume.RefusedError](err),
		is[*host.BusyError](err), is[*host.ReadOnlyError](err), is[*host.KindError](err), is[*part.TooSmallError](err), is[*part.DamageError](err),
		is[*store.CondemnedError](err), is[*store.BusyError](err),
		is[*fit.TooSmallError](err), is[*fit.RefusedError](err), is[*resize.TooSmallError](err), is[*resize.TooLargeError](err),
		is[*resize.NotPossibleError](err), is[*mount.KindError](err), is[*browse.KindError](err), is[*tool.MissingError](err), is[*adapt.NoSystemError](err),
		is[*files.ReparseError](err), is[*windows.NotGeneralizedError](err), is[*windows.NeedsSetupError](err), is[*windows.HibernatedError](err), is[*hive.DirtyError](err),
		is[*remote.DeniedError](err), is[*remote.CertificateError](err), is[*trust.MismatchError](err):
		return wire.ExitRefused
	case is[*catalog.NotFoundError](err), is[*host.NotFoundError](err), is[*capture.PartitionError](err), is[*browse.NoPartitionError](err), is[*browse.NoSystemError](err),
		errors.Is(err, store.ErrNoStore), errors.Is(err, fs.ErrNotExist):
		return wire.ExitNotFound
	case is[*catalog.AmbiguousError](err):
		return wire.ExitUsage
	case is[*block.RangeError](err):
		return wire.ExitIntegrity
	}
	return wire.ExitFailed
}

func is[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}
