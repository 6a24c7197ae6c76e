import { openStore, type Store, type StoreOptions } from '../../src/index.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Content is what has a key that begins with `b`. */
export const content: { readonly gte: Uint8Array; readonly lt: Uint8Array } = {
  gte: encoder.encode('b'),
  lt: encoder.encode('c')
}
export const remedy = 'move the folder away'

export async function storeAt(location: StoreOptions['location'], options: Partial<StoreOptions> = {}): Promise<Store> {
  return await openStore({
    location,
    format: { name: 'test', version: 1 },
    durability: 'process',
    remedy,
    operations: { open: 'open', read: 'read', write: 'write' },
    content,
    ...options
  })
}

export function keyOf(name: string): Uint8Array {
  return encoder.encode(name)
}

/** A value of that size which only this key has, different in each of its pages. */
export function valueOf(name: string, size: number): Uint8Array {
  const value = new Uint8Array(size)
  const start = encoder.encode(name).reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7)
  for (let at = 0; at < size; at += 512) value.fill((start + at / 512) % 251, at, at + 512)
  value.set(encoder.encode(name).subarray(0, size))
  return value
}

export async function put(store: Store, name: string, size: number): Promise<void> {
  await store.write([{ type: 'put', key: keyOf(name), value: valueOf(name, size) }])
}

export async function remove(store: Store, name: string): Promise<void> {
  await store.write([{ type: 'del', key: keyOf(name) }])
}

export function errorOf(error: unknown): string {
  return `${(error as { code?: string }).code ?? ''}: ${(error as Error).message}`
}

/** Names by the size of their value: what is missing or wrong of them, and what is there besides. */
export async function compare(
  store: Store,
  expected: ReadonlyMap<string, number>
): Promise<{ missing: string[]; extra: string[] }> {
  const missing: string[] = []
  for (const [name, size] of expected) {
    const value = await store.get(keyOf(name))
    if (value === undefined || !equal(value, valueOf(name, size))) missing.push(name)
  }
  const extra: string[] = []
  for await (const keys of store.keys({ gte: encoder.encode('a') }))
    for (const name of keys.map((key) => decoder.decode(key))) if (!expected.has(name)) extra.push(name)
  return { missing, extra }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}
