// Runs inside a browser page. The test bundles it.
import { joinLedger, type JoinOptions, type PagePeer, type PeerState } from '../src/peer/index.ts'

let joined: PagePeer | undefined
let state: PeerState | undefined
let holder: string | undefined

function peer(): PagePeer {
  if (joined === undefined) throw new Error('the page has not joined')
  return joined
}

Object.assign(globalThis, {
  page: {
    join: async (options: Pick<JoinOptions, 'genesis' | 'nodes'>) => {
      joined = await joinLedger({
        ...options,
        onState: (next) => void (state = next),
        onWait: (other) => void (holder = other ?? 'somebody')
      })
      return joined.account
    },
    /** Joins in the background, because it may have to wait for another tab. */
    joinLater: (options: Pick<JoinOptions, 'genesis' | 'nodes'>) => {
      joinLedger({ ...options, onState: (next) => void (state = next), onWait: (other) => void (holder = other) }).then(
        (made) => void (joined = made),
        reportError
      )
    },
    refusal: async (options: Pick<JoinOptions, 'genesis' | 'nodes'>) => {
      try {
        await joinLedger({ ...options, onState: () => {} })
        return undefined
      } catch (error) {
        return { code: (error as { code?: unknown }).code, message: (error as Error).message }
      }
    },
    reported: () => state,
    holder: () => holder,
    balances: async () => await peer().balances(),
    entries: async () => (await peer().entries()).entries,
    pay: async (to: string, amount: number) => await peer().transfer({ to, amount: BigInt(amount) }),
    connect: async (node: JoinOptions['nodes'][number]) => await peer().connect(node),
    stop: async () => await peer().stop(),
    /** Removes the databases whose names end like this. Returns their number. */
    removeDatabases: async (end: string) => {
      const names = (await indexedDB.databases()).flatMap(({ name }) => (name?.endsWith(end) === true ? [name] : []))
      for (const name of names)
        await new Promise((resolve, reject) => {
          Object.assign(indexedDB.deleteDatabase(name), { onsuccess: resolve, onerror: reject })
        })
      return names.length
    }
  }
})
