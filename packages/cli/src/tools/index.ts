// For the command lines of p2pl applications.
export { overridesOf, partsOf, wordsOf } from './backend-words.ts'
export { exitCodeOf, exitCodes } from './exit-codes.ts'
export { flushOutput } from './flush.ts'
export { isAlive } from './is-alive.ts'
export { createOutput, describeError } from './output.ts'
export type { ErrorDescription, Output, OutputOptions, ShowProgress } from './output.ts'
export { formatBytes } from './progress-line.ts'
export { explained } from './system-faults.ts'
