// Runs inside of a browser page: bundled by the test.
import { createIdentity, type Identity } from '@p2pl/core'
import { open, seal } from '../../src/index.ts'

let identity: Identity | undefined

function own(): Identity {
  if (identity === undefined) throw new Error('the page has no identity')
  return identity
}

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: BlobPart[] = []
  for await (const part of source) parts.push(new Uint8Array(part))
  return new Uint8Array(await new Blob(parts).arrayBuffer())
}

Object.assign(globalThis, {
  page: {
    identify: async () => (identity = await createIdentity()).id,
    seal: async (content: Uint8Array, to: string[]) => await bytesOf(seal(content, { to })),
    sealWithSecret: async (content: Uint8Array, secret: string) => await bytesOf(seal(content, { secret })),
    open: async (sealed: Uint8Array) => await bytesOf(open(sealed, { identity: own() })),
    openWithSecret: async (sealed: Uint8Array, secret: string) => await bytesOf(open(sealed, { secret }))
  }
})
