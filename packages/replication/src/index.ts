export type * from './api.ts'
export { openReplication } from './open.ts'
export { pinningService, type PinningServiceOptions } from './service/pinning-service.ts'
