package control

// Topic is what an event is about.
type Topic string

// Topics. TopicAll comes after events were lost: read everything again.
const (
	TopicMachine Topic = "machine"
	TopicBatch   Topic = "batch"
	TopicJob     Topic = "job"
	TopicBoot    Topic = "boot"
	TopicImage   Topic = "image"
	TopicProfile Topic = "profile"
	TopicUser    Topic = "user"
	TopicAll     Topic = "all"
)

// Event says that something changed. It holds no data: who wants it reads it again,
// as far as they may.
type Event struct {
	Topic Topic  `json:"topic"`
	ID    string `json:"id"` // "" for several
}
