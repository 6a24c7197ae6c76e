export * from './ensure.ts'
export * from './test-daemon.ts'
