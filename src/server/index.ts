/** `holdfast/server`: a store over HTTP, as a handler for use inside other applications and as a server of its own. */

export type { AccessOptions, Peer } from './access/access.ts';
export { type Grant, VERBS, type Verb } from './access/grant.ts';
export { type NewTokenOptions, TokenFile, type TokenInfo } from './access/token-file.ts';
export { createHandler, type Handler } from './create-handler.ts';
export type { BreakableBackend, BreakableBackends } from './demo/breakable-backends.ts';
export { type Demo, openDemo } from './demo/open-demo.ts';
export { type RunningServer, type ServeOptions, serve } from './serve.ts';
export type { AuditEvent, HandlerOptions, ServerLimits } from './settings.ts';
export type { UploadOptions } from './uploads/upload-options.ts';
