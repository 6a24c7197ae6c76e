import { sealed } from '@p2pl/simulator'
import type { Random, SimulatedIdentity, Stranger } from '@p2pl/simulator'
import { compareBytes, equalBytes } from '../../src/bytes.ts'
import type { Bytes } from '../../src/bytes.ts'
import { cidOf } from '../../src/cid.ts'
import { decodeEntry, encodeEntry, signingDomain, signingInput, widestBounds } from '../../src/entry/codec.ts'
import type { EntryFields, EntryRecord } from '../../src/entry/codec.ts'
import { openTables } from '../../src/store/database.ts'
import { Store } from '../../src/store/store.ts'
import { IndexTree } from '../../src/tree/tree.ts'
import { encodeMessage } from '../../src/wire/messages.ts'
import type { Beacon, WireMessage } from '../../src/wire/messages.ts'
import { memoryDatabase } from '../support/peers.ts'

export const topic = 'simulated'
/** Payloads that begin with this byte are refused by the rule of the honest peers. */
export const refusedByte = 0xff

export function randomBytes(random: Random, length: number): Bytes {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256))
}

/** Sends a message of sync in the name of a new identity, or of the one given. */
export async function say(
  stranger: Stranger,
  message: WireMessage,
  identity: SimulatedIdentity = stranger.identity()
): Promise<void> {
  stranger.publish(topic, await sealed(stranger, topic, { identity, messages: [encodeMessage(message)] }))
}

export function beaconOf(stranger: Stranger, root: Bytes, count: number, more: Partial<Beacon> = {}): Beacon {
  return { kind: 'beacon', providers: [stranger.address], root, count, proofs: [], padding: 0, ...more }
}

/** An entry of the identity, signed unless a wrong signature is given. */
export async function forge(
  identity: SimulatedIdentity,
  fields: Partial<Omit<EntryFields, 'author' | 'previous'>> & { previous?: Bytes | undefined },
  wrong?: Bytes
): Promise<EntryRecord> {
  const { clock = 1, payload = new Uint8Array() } = fields
  const parents = [...(fields.parents ?? [])].sort(compareBytes)
  const { previous: before } = fields
  const previous = before === undefined ? 0 : parents.findIndex((parent) => equalBytes(parent, before)) + 1
  const all = { parents, previous, clock, payload, author: identity.publicKey }
  const signature = wrong ?? (await identity.sign(signingInput(signingDomain(topic), all)))
  return await decodeEntry(encodeEntry(all, signature), widestBounds)
}

/** The index of these entries, its nodes kept by the stranger. */
export async function keepIndex(
  stranger: Stranger,
  entries: readonly EntryRecord[]
): Promise<{ root: Bytes; count: number }> {
  const store = await Store.open(await openTables(memoryDatabase()), topic)
  const observer = {
    added: (digest: Bytes, _: unknown, bytes: Bytes) => {
      stranger.keep({ cid: cidOf(digest), bytes })
    },
    removed: () => {}
  }
  const tree = new IndexTree(store, observer)
  await store.commit(entries.map((entry) => ({ entry, local: false })))
  const { digest, count } = await tree.flush()
  return { root: digest, count }
}
