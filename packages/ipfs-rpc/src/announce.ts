import type { CID } from 'multiformats/cid'
import type { Engine } from './engine.ts'
import type { CallKind } from './rpc/transport.ts'

// Of its events only the error at the end tells anything, and that the transport throws.
const provide: CallKind = { operation: 'routing.provide', lane: 'network', answer: 'lines', screen: () => undefined }

/** Resolves when the record is with others. */
export async function announce(engine: Engine, cid: CID | string, signal: AbortSignal | undefined): Promise<void> {
  await engine.rpc.call(provide, signal, async (kubo, options) => {
    for await (const event of kubo.routing.provide(cid, options)) void event
  })
}
