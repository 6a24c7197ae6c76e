import { checkFunction, checkKeys, describe, invalidArgument, P2plError, throwIfAborted } from '@p2pl/core/backend'
import { fileSystem } from './node.ts'

/** Another tab, or something else in this page, has the database open. */
export class DatabaseTakenError extends Error {
  override readonly name = 'DatabaseTakenError'
}

export interface WhenFreeOptions {
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
  /** Called when the call has to wait, with the title and path of the tab that has the database, if known. */
  readonly onWait?: ((holder: string | undefined) => void) | undefined
}

type Release = () => Promise<void>

/** Databases that this page has. The value releases a database that {@link whenFree} reserved and that is not open yet. */
const own = new Map<string, Release | undefined>()
const longestTitle = 80

/**
 * Resolves when the database belongs to this tab: at once, or when the tab that has it closes or releases it. The
 * database then stays reserved for the next `openStore` of this page. Waiting tabs are served in the order of their
 * calls. In Node it resolves at once: a process does not wait, and `openStore` throws `LOCKED` instead.
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
 * IndexedDB lets any number of pages write. Two pages with one private key would be the same peer twice. The browser
 * itself releases the lock when a page is gone.
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

/**
 * Takes a second lock, whose name says who holds the first. Other tabs read the name, and the lock disappears with this
 * tab.
 */
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

/** Says who has the database, as text for people. */
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

/**
 * Requests a lock and returns a function that releases it; `undefined` if `options` do not allow waiting and somebody
 * else holds the lock.
 */
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
