// The door for people who write adapters and layers.
export * from './errors.ts'
export * from './layer.ts'
export * from './clock.ts'
export * from './toolbox/index.ts'
export {
  type SynchronousSigner,
  synchronousSigner,
  type SynchronousVerifier,
  synchronousVerifier
} from './synchronous-signatures.ts'
export { verifyBlock } from './content/hash.ts'
export { aroundCalls, type Changes, type Interceptor, type LayerCall } from './around/around-calls.ts'
export { type Operation, operations } from './around/operations.ts'
export { defineBackend, type DefinedBackend } from './define/define-backend.ts'
export { split } from './define/split.ts'
export type * from './port/backend.ts'
export type * from './port/blocks.ts'
export type * from './port/capabilities.ts'
export type * from './port/common.ts'
export type * from './port/definition.ts'
export type * from './port/events.ts'
export type * from './port/messages.ts'
export type * from './port/routing.ts'
export { openEnvelope, sealEnvelope } from './envelope/envelope.ts'
export type { OpenedEnvelope } from './envelope/envelope.ts'
export type { Claim, Envelope, EnvelopeMessage, Payload } from './envelope/envelope.ts'
