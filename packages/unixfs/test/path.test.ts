import { createPeer } from '@p2pl/core'
import type { Peer } from '@p2pl/core'
import { memory } from '@p2pl/memory'
import { base16, base16upper } from 'multiformats/bases/base16'
import { base32upper } from 'multiformats/bases/base32'
import { base36 } from 'multiformats/bases/base36'
import { base58btc } from 'multiformats/bases/base58'
import { base64, base64pad, base64url } from 'multiformats/bases/base64'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { unixfs } from '../src/index.ts'
import { parsePath } from '../src/path.ts'
import { failure, putDirectory, text } from './support.ts'

const bases = [base16, base16upper, base32upper, base36, base58btc, base64, base64pad, base64url]
let peer: Peer

beforeAll(async () => {
  peer = await createPeer({ backend: memory() })
})
afterAll(async () => {
  await peer.stop()
})

it.each(bases.map((base) => [base.name, base] as const))('a path may begin with a CID in %s', async (_, base) => {
  const { cid } = await unixfs(peer).addDirectory([{ path: 'a/b', content: text('deep') }])
  const file = await unixfs(peer).resolve(`${cid.toString()}/a/b`)
  for (const form of [
    `${cid.toString(base)}/a/b`,
    `/ipfs/${cid.toString(base)}/a/b`,
    `ipfs://${cid.toString(base)}/a/b/`
  ])
    expect((await unixfs(peer).resolve(form)).equals(file), form).toBe(true)
  expect(await peer.data.has(cid.toString(base))).toBe(true)
})

it('a path may begin with a CID of version 0, or with one whose text contains slashes', async () => {
  const directory = await putDirectory(peer, [{ Name: 'x', Hash: await peer.blocks.put(text('x')) }])
  const old = CID.createV0(directory.multihash as never)
  expect((await unixfs(peer).resolve(`${old.toString()}/x`)).toString()).toMatch(/^bafkrei/)
  const slashed = CID.createV1(0x55, createDigest(0x12, new Uint8Array(32).fill(0xff)))
  const form = slashed.toString(base64)
  expect(form.split('/').length).toBeGreaterThan(20)
  expect(parsePath(`${form}/m/n`, 'test')).toEqual({ root: slashed, names: ['m', 'n'] })
})

it.each(['', 'm', 'm/x', 'nonsense/x', 'BAFY/x', `m${'/'.repeat(5_000)}`, 'f'.repeat(20_000)])(
  '%j is no path',
  async (path) => {
    expect((await failure(unixfs(peer).resolve(path))).code).toBe('INVALID_ARGUMENT')
  }
)
