export * from './seed.ts'
export * from './temporary.ts'
export * from './wait.ts'
