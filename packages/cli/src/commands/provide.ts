import { isP2plError, P2plError } from '@p2pl/core'
import { sleep } from '@p2pl/core/backend'
import type { CommandContext } from '../context.ts'
import { serve, type Session, withPeer } from '../session.ts'

interface Options {
  readonly once?: boolean | undefined
}

/** Pause before the next attempt to find a peer that accepts the record, in milliseconds. */
const pause = 1_000

export async function provide(context: CommandContext, cids: readonly string[], { once }: Options): Promise<void> {
  const stays = once === true ? undefined : { command: 'provide', topics: [] }
  await withPeer(context, { need: 'store', stays }, async (session) => {
    const { peer } = session
    for (const cid of cids) {
      if (!(await peer.data.has(cid, { signal: context.signal, deep: false })))
        throw new P2plError({
          code: 'NOT_FOUND',
          message: `${cid} is not stored here: add it with "p2pl add", or fetch and keep it with "p2pl pin add ${cid}"`
        })
    }
    const work = Promise.all(cids.map(async (cid) => await provideOne(context, session, cid, once === true)))
    if (once === true) await work
    else await Promise.all([work, serve(context, peer)])
  })
}

/** Puts out one record. Unless `once` is set, repeats until a peer accepts it. */
async function provideOne(
  { output, signal }: CommandContext,
  { peer }: Session,
  cid: string,
  once: boolean
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await peer.data.provide(cid, { signal })
      await output.item({ cid, provided: true }, () => `provided ${cid}`)
      return
    } catch (error) {
      if (!once && signal.aborted) return
      if (once || !isP2plError(error, 'NO_PEERS')) throw error
      if (attempt === 1) output.note(`no peer takes the record of ${cid} yet: it is tried again until one does`)
      await sleep(pause, { signal }).catch(() => undefined)
    }
  }
}
