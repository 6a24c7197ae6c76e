export { createAdapter, type Adapter } from './create.ts'
export { main } from './main.ts'
