import type { ErrorCode } from '@p2pl/core/backend'

export interface Meaning {
  readonly code: ErrorCode
  readonly remedy?: string | undefined
}

// The daemon reports errors as text. Each of these was seen in Kubo 0.43.1 or is in its source.
const texts: readonly (readonly [RegExp, ErrorCode, remedy?: string])[] = [
  [/validation ignored/, 'OVERLOADED'],
  [/no connected peers|failed to find any peer in table|no peers? (?:in|connected)|insufficient peers/, 'NO_PEERS'],
  [
    /pubsub.*not enabled|pubsub.*disabled/i,
    'UNSUPPORTED',
    'ipfs config --json Pubsub.Enabled true, then restart the daemon'
  ],
  [/must be run in online mode|not online|online mode/, 'UNSUPPORTED', 'start the daemon without --offline'],
  [
    /Provide\.Enabled is set to 'false'/,
    'UNSUPPORTED',
    'ipfs config --json Provide.Enabled true, then restart the daemon'
  ],
  [/context deadline exceeded|request timed out|deadline has elapsed|i\/o timeout/, 'TIMEOUT'],
  [/context canceled|shutting down|node is closing|closed\b.*(?:datastore|pebble|leveldb)/, 'UNREACHABLE'],
  [/no space left|disk quota|storage limit|too many open files|no addresses available on device/, 'STORAGE'],
  [/over 2\s?MiB|block is too big|size limit/i, 'TOO_LARGE'],
  [/^pinned\b|: pinned\b|block is pinned|pinned: /, 'PINNED'],
  [/not found|could not find|no such (?:block|key|record)/, 'NOT_FOUND'],
  [
    /failed to dial|all dials failed|dial backoff|no good addresses|no addresses|connect .* failure|gater disallows/,
    'UNREACHABLE'
  ],
  [/someone else has the lock|repo\.lock/, 'LOCKED'],
  [
    /invalid (?:cid|path|peer id|multiaddr|multihash)|failed to parse|unrecognized (?:hash|multihash)|unrecognized and disallowed/i,
    'INVALID_ARGUMENT'
  ]
]

/** The meaning of a text of the daemon, if it is known. */
export function meaningOf(text: string): Meaning | undefined {
  const known = texts.find(([pattern]) => pattern.test(text))
  return known === undefined ? undefined : { code: known[1], remedy: known[2] }
}
