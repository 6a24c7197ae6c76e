import { flushCompileCache } from 'node:module'
import type { Backend } from '@p2pl/core/backend'
import type { Callable } from './codec.ts'
import { Endpoint } from './endpoint.ts'

// Runs in the child: holds one backend at a time, and calls its methods.
type Members = Record<string, unknown>

let backend: Backend | undefined

/** What was compiled is there for the processes that start after this one. */
async function load(href: string): Promise<void> {
  await import(href)
  flushCompileCache()
}

async function make(href: string, name: string, args: readonly unknown[]): Promise<void> {
  const module = (await import(href)) as Record<string, Callable>
  backend = (await module[name]?.(...args)) as Backend
}

const endpoint = new Endpoint({ send: (message) => void process.send?.(message, () => {}) }, async (what, ...args) => {
  if (what === 'load') return await load(args[0] as string)
  if (what === 'make') return await make(...(args as [string, string, readonly unknown[]]))
  if (backend === undefined) throw new Error('there is no backend')
  const [part, method] = args[0] as readonly [string, string]
  const target = part === '' ? backend : (backend as unknown as Record<string, object>)[part]
  const found = (target as Members | undefined)?.[method]
  if (typeof found !== 'function') throw new Error(`the backend has no ${part}.${method}`)
  // An iterable is none to be waited for.
  const value: unknown = (found as Callable).apply(target, args[1] as unknown[])
  return value instanceof Promise ? ((await value) as unknown) : value
})

process.on('message', (message) => endpoint.receive(message))
process.on('disconnect', () => process.exit(0))
