import { randomBytes } from 'node:crypto'
import { createIdentity, ed25519 } from '@p2pl/core'
import type { Role } from '../harness/child.ts'
import { inParallel, timed } from './timing.ts'

/** What the machine can do at most: signatures of entries, many at once, with nothing else around them. Milliseconds. */
export interface Signatures {
  /** Makes the messages and their signatures, so that neither time nor processor time of it counts. */
  prepare(count: number, size: number): Promise<void>
  sign(): Promise<{ time: number }>
  verify(): Promise<{ time: number }>
}

const atOnce = 64

const signatures: Role<object, Signatures> = async () => {
  const identity = await createIdentity()
  let bytes: Uint8Array<ArrayBuffer>[] = []
  let signed: Uint8Array<ArrayBuffer>[] = []
  const messages = (count: number, size: number): Uint8Array<ArrayBuffer>[] =>
    Array.from({ length: count }, () => new Uint8Array(randomBytes(size)))
  return {
    prepare: async (count, size) => {
      bytes = messages(count, size)
      signed = await Promise.all(bytes.map((message) => identity.sign(message)))
    },
    sign: async () => ({ time: await timed(() => inParallel(bytes, atOnce, (one) => identity.sign(one))) }),
    verify: async () => {
      const check = async (i: number): Promise<void> => {
        if (!(await ed25519.verify(identity.publicKey, bytes[i]!, signed[i]!)))
          throw new Error('a right signature was refused')
      }
      return { time: await timed(() => inParallel(bytes.keys(), atOnce, check)) }
    }
  }
}

export default signatures
