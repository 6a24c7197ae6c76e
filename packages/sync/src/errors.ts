import { P2plError } from '@p2pl/core'
import type { ErrorCode } from '@p2pl/core'
import type { Bytes } from './bytes.ts'
import { cidOf } from './cid.ts'

/** A wrong argument of a call of the view, or of the call that opens it. */
export function invalid(call: string, message: string, code: ErrorCode = 'INVALID_ARGUMENT'): P2plError {
  const operation = call === 'openView' || call === 'topicWithHistory' ? call : `view.${call}`
  return new P2plError({ code, operation, message: `${call}: ${message}` })
}

export function notRunning(call: string): P2plError {
  return new P2plError({
    code: 'NOT_RUNNING',
    operation: `view.${call}`,
    message: `${call}: the view was stopped: open it again`
  })
}

/** Stored entries no longer hash to their CIDs, and no peer has supplied them yet. */
export function damaged(call: string, digests: readonly Bytes[], cause?: unknown): P2plError {
  const named = digests.map((digest) => cidOf(digest).toString()).join(', ')
  return new P2plError({
    code: 'STORAGE',
    operation: `view.${call}`,
    retryable: true,
    cause,
    message:
      named === ''
        ? `${call}: the stored index is damaged: move the store away and open the view with an empty one`
        : `${call}: the stored entry ${named} is damaged, and no peer has given it yet: connect to a peer that has this view, or import a copy of it`
  })
}
