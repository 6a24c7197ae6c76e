import { encode, prepare } from '@ipld/dag-pb'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { decodeNode } from '../../src/content/node.ts'

const cid = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi')
const child = CID.createV1(0x55, CID.parse('bafkqaaa').multihash)
const file = [0x08, 2]

/** A dag-pb node with this UnixFS part. */
function node(data: Uint8Array, links = 0): Uint8Array {
  return encode(prepare({ Data: data, Links: Array.from({ length: links }, () => ({ Hash: child, Name: '' })) }))
}

function join(...parts: readonly (readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flat())
}

describe('a node of a stranger', () => {
  it.each([
    ['links', () => node(join(file), 200_000)],
    [
      'sizes',
      () => node(new Uint8Array(2_000_000).map((_, i) => (i < 2 ? (file[i] as number) : i % 2 === 0 ? 0x20 : 0)))
    ],
    [
      'sizes that hide in another field',
      () =>
        node(
          join(
            [0x0a, 0x7f],
            Array.from({ length: 127 }, () => 0x20)
          )
        )
    ],
    ['times', () => node(join(file, ...Array.from({ length: 100_000 }, () => [0x42, 0])))]
  ])('with too many %s is refused before it is decoded', (_name, make) => {
    const bytes = make()
    expect(() => decodeNode(cid, bytes, 'data.get')).toThrow(expect.objectContaining({ code: 'INVALID_CONTENT' }))
  })

  it('that is cut anywhere is refused', () => {
    const whole = node(join(file, [0x12, 3, 1, 2, 3, 0x18, 3]))
    for (let length = 1; length < whole.byteLength; length++) {
      const call = (): unknown => decodeNode(cid, whole.subarray(0, length), 'data.get')
      expect(call).toThrow(expect.objectContaining({ code: 'INVALID_CONTENT' }))
    }
    expect(decodeNode(cid, whole, 'data.get')).toMatchObject({ kind: 'file', size: 3 })
  })

  it('that is a large folder is still a folder', () => {
    expect(decodeNode(cid, node(Uint8Array.of(0x08, 1), 20_000), 'data.stat')).toEqual({ kind: 'directory' })
  })
})
