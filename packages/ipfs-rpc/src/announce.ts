import type { CID } from 'multiformats/cid'
import type { CallKind } from '@p2pl/kubo/rpc'
import type { Engine } from './engine.ts'

const providing: CallKind = { operation: 'routing.provide', lane: 'network' }

/** Resolves when the record is with others. */
export async function announce(engine: Engine, cid: CID | string, signal: AbortSignal | undefined): Promise<void> {
  // Not by the library, which reads the peers in each event and fails at one that it does not know.
  const query = new URLSearchParams({ arg: String(cid) })
  const answer = await engine.rpc.request(providing, { path: 'routing/provide', query, signal })
  // Of the events only an error at the end tells anything.
  for await (const lines of answer.lines()) void lines
}
