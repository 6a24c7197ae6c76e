import type { Backend } from '@p2pl/core/backend'
import type { Callable } from './codec.ts'
import { Endpoint } from './endpoint.ts'

// Runs in the child. It holds one backend at a time, and calls its methods.
let backend: Backend | undefined

async function make(href: string, name: string, args: readonly unknown[]): Promise<void> {
  const module = (await import(href)) as Record<string, Callable>
  backend = (await module[name]?.(...args)) as Backend
}

function call(path: readonly string[], args: readonly unknown[]): unknown {
  let owner: unknown
  let value: unknown = backend
  for (const name of path) {
    owner = value
    value = (owner as Record<string, unknown> | undefined)?.[name]
  }
  if (value === undefined) throw new Error(`the backend has no ${path.join('.')}`)
  return typeof value === 'function' ? (value as Callable).apply(owner, [...args]) : value
}

const endpoint = new Endpoint({ send: (message) => void process.send?.(message, () => {}) }, (what, ...args) => {
  if (what === 'load') return import(args[0] as string).then(() => undefined)
  if (what === 'make') return make(...(args as [string, string, readonly unknown[]]))
  return call(...(args as [readonly string[], readonly unknown[]]))
})

process.on('message', (message) => endpoint.receive(message))
process.on('disconnect', () => process.exit(0))
