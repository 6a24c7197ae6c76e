import { type Role, usageRequest } from './child.ts'
import { usage } from './usage.ts'

// Runs in the child. The first request (without a method) creates the role; the others call its methods.
type Methods = Record<string, (...args: unknown[]) => Promise<unknown>>

const module = (await import(process.argv[2] ?? '')) as { default: Role<unknown, Methods> }
let methods: Methods | undefined

async function answer(method: string, args: readonly unknown[]): Promise<unknown> {
  if (method === '') {
    methods = await module.default(args[0])
    return undefined
  }
  if (method === usageRequest) return usage()
  const found = methods?.[method]
  if (found === undefined) throw new Error(`the role has no method ${method}`)
  return await found(...args)
}

process.on('message', (message) => {
  const { id, method, args } = message as { id: number; method: string; args: unknown[] }
  void answer(method, args).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) =>
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
  )
})
process.on('disconnect', () => process.exit(0))
