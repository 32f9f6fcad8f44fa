package web

import (
	"github.com/ingot-imaging/ingot/internal/control"
	"github.com/ingot-imaging/ingot/internal/fleet"
)

// route is one thing that a browser can ask for.
type route struct {
	method, path string
	need         fleet.Role // at least; anyone for no login
	handle       func(*visit) error
	upload       bool // its form may have files
}

// routes are all of them. What changes anything is a POST with a form's token;
// control checks the role once more, and keeps the audit log.
func routes() []route {
	const viewer, operator, admin = fleet.Viewer, fleet.Operator, fleet.Admin
	get := func(path string, need fleet.Role, handle func(*visit) error) route {
		return route{method: "GET", path: path, need: need, handle: handle}
	}
	post := func(path string, need fleet.Role, handle func(*visit) error) route {
		return route{method: "POST", path: path, need: need, handle: handle}
	}
	upload := func(path string, need fleet.Role, handle func(*visit) error) route {
		return route{method: "POST", path: path, need: need, handle: handle, upload: true}
	}
	return []route{
		get("/setup", anyone, showSetup),
		post("/setup", anyone, setUp),
		get("/login", anyone, showLogin),
		post("/login", anyone, logIn),
		post("/logout", viewer, logOut),

		get("/{$}", viewer, showOverview),
		get("/about", viewer, showAbout),
		get("/settings", admin, showSettings),
		post("/settings", admin, saveSettings),

		get("/machines", viewer, showMachines),
		post("/machines/do", operator, doMachines),
		get("/machines/join", operator, showJoin),
		post("/machines/join", operator, joinMachines),
		get("/machines/forget", operator, showForget),
		post("/machines/forget", operator, forgetMachines),
		get("/machines/import", operator, showImport),
		upload("/machines/import", operator, importMachines),
		get("/machines/{id}", viewer, showMachine),
		get("/machines/{id}/edit", operator, showMachineEdit),
		post("/machines/{id}/edit", operator, editMachine),
		post("/machines/{id}/leave", operator, leaveGroup),
		get("/groups", viewer, showGroups),
		post("/groups", operator, addGroup),
		get("/groups/remove", operator, showGroupRemove),
		post("/groups/remove", operator, removeGroup),
		post("/rules", admin, addRule),
		get("/rules/remove", admin, showRuleRemove),
		post("/rules/remove", admin, removeRule),

		get("/images", viewer, showImages),
		get("/images/{ref}", viewer, showImage),
		post("/images/{ref}/notes", operator, noteImage),
		post("/images/{ref}/tag", operator, tagImage),
		post("/images/{ref}/lint", operator, lintImage),
		get("/images/{ref}/remove", admin, showImageRemove),
		post("/images/{ref}/remove", admin, removeImage),

		get("/profiles", viewer, showProfiles),
		get("/profiles/help", viewer, showProfileHelp),
		get("/profiles/new", operator, showProfileNew),
		post("/profiles/new", operator, addProfile),
		get("/profiles/{name}", viewer, showProfile),
		post("/profiles/{name}", operator, saveProfile),
		upload("/profiles/{name}/files", operator, addProfileFile),
		get("/profiles/{name}/files/remove", operator, showFileRemove),
		post("/profiles/{name}/files/remove", operator, removeProfileFile),
		get("/profiles/{name}/remove", operator, showProfileRemove),
		post("/profiles/{name}/remove", operator, removeProfile),

		get("/deploy", operator, showDeploy),
		post("/deploy", operator, startDeploy),
		get("/work/{kind}", operator, showWork),
		post("/work/{kind}", operator, startWork),
		get("/batches", viewer, showBatches),
		get("/batches/{id}", viewer, showBatch),
		get("/batches/{id}/cancel", operator, showCancel),
		post("/batches/{id}/cancel", operator, cancelWork),
		post("/batches/{id}/retry", operator, retryWork),
		get("/jobs/{id}", viewer, showJob),
		get("/jobs/{id}/log", viewer, showJobLog),
		get("/jobs/{id}/cancel", operator, showCancel),
		post("/jobs/{id}/cancel", operator, cancelWork),
		post("/jobs/{id}/retry", operator, retryWork),

		get("/boots", viewer, showBoots),
		get("/audit", admin, showAudit),

		get("/users", admin, showUsers),
		post("/users", admin, addUser),
		get("/users/{name}", admin, showUser),
		post("/users/{name}/role", admin, setRole),
		post("/users/{name}/password", admin, setUserPassword),
		post("/users/{name}/disabled", admin, setDisabled),
		get("/users/{name}/remove", admin, showUserRemove),
		post("/users/{name}/remove", admin, removeUser),
		get("/tokens", admin, showTokens),
		post("/tokens", admin, addToken),
		get("/tokens/remove", admin, showTokenRemove),
		post("/tokens/remove", admin, removeToken),
		get("/account", viewer, showAccount),
		post("/account/password", viewer, setOwnPassword),
		post("/sessions/{id}/revoke", viewer, revokeSession),

		get("/events/overview", viewer, live("overview", overviewLive, control.TopicMachine, control.TopicJob, control.TopicBatch, control.TopicImage)),
		get("/events/machines", viewer, live("machines", machinesLive, control.TopicMachine)),
		get("/events/machines/{id}", viewer, live("machine", machineLive, control.TopicMachine, control.TopicJob, control.TopicBoot)),
		get("/events/images", viewer, live("images", imagesLive, control.TopicImage)),
		get("/events/images/{ref}", viewer, live("image", imageLive, control.TopicImage)),
		get("/events/batches", viewer, live("batches", batchesLive, control.TopicBatch, control.TopicJob)),
		get("/events/batches/{id}", viewer, live("batch", batchLive, control.TopicBatch, control.TopicJob)),
		get("/events/jobs/{id}", viewer, live("job", jobLive, control.TopicJob)),
		get("/events/boots", viewer, live("boots", bootsLive, control.TopicBoot)),
	}
}

// live is the route of a page's events. prepare reads what the request asks for,
// and returns how the page's body is made, again and again.
func live(view string, prepare func(*visit) func(reader) (liveBody, error), topics ...control.Topic) func(*visit) error {
	return func(v *visit) error {
		return v.stream(liveSource{view: view, topics: topics, make: prepare(v)})
	}
}
