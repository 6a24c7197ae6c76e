export type * from './fixture.ts'
