import { randomBytes } from 'node:crypto'
import { createIdentity, ed25519 } from '@p2pl/core'
import type { Role } from '../harness/child.ts'
import { inParallel, timed } from './timing.ts'

/** The limit of the machine: signing and verifying, many at once, with nothing else around it. Times are milliseconds. */
export interface Signatures {
  /**
   * Creates the messages and their signatures in advance, so that neither the time nor the processor time of this
   * counts.
   */
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
