import type { HookOptions } from '@p2pl/core/backend'

/** For calls that nobody aborts. */
export const calm: HookOptions = { signal: new AbortController().signal }
