package control

// Settings are policies of a server.
type Settings struct {
	// Sticks says what agents may do that started without the server, from a USB stick
	// or DVD, and so have no secret of their boot.
	Sticks StickPolicy `json:"sticks"`
	// Pending bounds the machines that wait to be looked at; the oldest are forgotten.
	Pending int `json:"pending"`
}

// StickPolicy is what agents without a secret may do.
type StickPolicy string

// Policies. An approved machine is told from others by its serial numbers, which
// whoever sits at it can read.
const (
	SticksRefused  StickPolicy = "refused"  // nothing
	SticksPending  StickPolicy = "pending"  // be seen; each start of one must be approved
	SticksApproved StickPolicy = "approved" // work, when their machine was approved
)
