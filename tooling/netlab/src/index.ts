export type { Host } from './host.ts'
export { type Lab, openLab } from './lab.ts'
export { Namespace } from './namespace.ts'
