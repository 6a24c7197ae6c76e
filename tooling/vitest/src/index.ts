export * from './sample.ts'
export * from './seed.ts'
export * from './temporary.ts'
export * from './wait.ts'
