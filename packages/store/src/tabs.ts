import { checkFunction, checkKeys, describe, invalidArgument, P2plError, throwIfAborted } from '@p2pl/core/backend'
import { fileSystem } from './node.ts'

/** Another tab, or something else in this page, has the database. */
export class DatabaseTakenError extends Error {
  override readonly name = 'DatabaseTakenError'
}

export interface WhenFreeOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
  /** Called when there is a wait, with the title and path of the tab that has the database, where they are known. */
  readonly onWait?: ((holder: string | undefined) => void) | undefined
}

type Release = () => Promise<void>

/** Databases that this page has, and how to let go of those that {@link whenFree} took and nobody has opened yet. */
const own = new Map<string, Release | undefined>()
const longestTitle = 80

/**
 * Resolves when the database belongs to this tab: at once, or when the tab that has it closes or lets go of it. It is then kept for the
 * next `openStore` of this page. Tabs that wait are served in the order in which they came. In Node, where a process is told
 * `LOCKED` and nothing waits, it resolves at once.
 */
export async function whenFree(location: string, options: WhenFreeOptions = {}): Promise<void> {
  const call = 'whenFree'
  if (typeof location !== 'string' || location === '')
    throw invalidArgument(call, `${call} takes the name of a database, a non-empty text, not ${describe(location)}`)
  checkKeys(call, options, ['signal', 'onWait'])
  checkFunction(call, 'onWait', options.onWait)
  throwIfAborted(call, options.signal)
  if (fileSystem !== undefined || own.get(location) !== undefined) return
  own.set(location, (await takeLock(location)) ?? (await waitForLock(location, options)))
}

/**
 * IndexedDB lets any number of pages write: with one private key they would be one peer twice. The browser itself releases
 * the lock of a page that is gone.
 */
export async function lockDatabase(location: string): Promise<Release> {
  const release = own.get(location) ?? (own.has(location) ? undefined : await takeLock(location))
  if (release === undefined) throw new DatabaseTakenError((await holderOf(location)) ?? 'another tab')
  own.set(location, undefined)
  return async () => {
    own.delete(location)
    await release()
  }
}

async function takeLock(location: string): Promise<Release | undefined> {
  const release = await request(lockName(location), { ifAvailable: true })
  return release === undefined ? undefined : await named(location, release)
}

async function waitForLock(location: string, { signal, onWait }: WhenFreeOptions): Promise<Release> {
  onWait?.(await holderOf(location))
  try {
    const release = (await request(lockName(location), signal === undefined ? {} : { signal })) as Release
    return await named(location, release)
  } catch (error) {
    throwIfAborted('whenFree', signal)
    throw error
  }
}

/** A second lock, whose name says who holds the first: other tabs read it, and it goes with this tab. */
async function named(location: string, release: Release): Promise<Release> {
  const { document, location: page } = globalThis
  // A worker has no title.
  const title = document?.title.slice(0, longestTitle) ?? ''
  const name = `${title === '' ? '' : `"${title}" `}(${page.pathname})`
  const unname = await request(`${lockName(location)}\n${name}`, { ifAvailable: true })
  return async () => {
    await unname?.()
    await release()
  }
}

/** Who has the database, for people. */
async function holderOf(location: string): Promise<string | undefined> {
  if (own.has(location)) return 'another peer or view of this page'
  const prefix = `${lockName(location)}\n`
  const { held = [] } = await navigator.locks.query()
  const name = held.find((lock) => lock.name?.startsWith(prefix))?.name
  return name === undefined ? undefined : `the tab ${name.slice(prefix.length)}`
}

function lockName(location: string): string {
  return `p2pl:${location}`
}

/** Gives what lets go of the lock; `undefined` where it is only wanted at once, and somebody has it. */
async function request(name: string, options: LockOptions): Promise<Release | undefined> {
  if (globalThis.navigator?.locks === undefined) {
    const message = 'this page cannot lock its database: serve it by https, or from loopback'
    throw new P2plError({ code: 'UNSUPPORTED', message })
  }
  return await new Promise((resolve, reject) => {
    const released = navigator.locks.request(name, options, async (lock) => {
      if (lock === null) {
        resolve(undefined)
        return
      }
      await new Promise<void>((end) => {
        resolve(async () => {
          end()
          await released
        })
      })
    })
    released.catch(reject)
  })
}
