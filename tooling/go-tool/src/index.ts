export { ensureGoTool, goToolObstacle, type EnsureOptions } from './ensure.ts'
export { runMain } from './main.ts'
export type { GoTool } from './tool.ts'
export { type GoToolObstacle, GoToolUnavailableError } from './unavailable.ts'
