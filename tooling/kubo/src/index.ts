export * from './ensure.ts'
export * from './unavailable.ts'
export * from './test-daemon.ts'
