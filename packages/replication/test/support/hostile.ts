import { decode, encode } from '@ipld/dag-cbor'
import { type Identity, type Peer, publicKeyFromPeerId } from '@p2pl/core'
import type { CID } from 'multiformats/cid'
import { topic } from './simulated.ts'

const utf8 = new TextEncoder()
const kinds = ['call', 'offer', 'ask', 'acknowledgement', 'refusal', 'release'] as const

type Heard = { readonly kind: (typeof kinds)[number]; readonly fields: unknown[]; readonly sender: string }

/** What a hostile peer does with what it hears; its own notes go out as `fields` after version and kind. */
export type Conduct = (
  heard: Heard,
  say: (kind: Heard['kind'], ...fields: unknown[]) => void,
  identity: Identity
) => void | Promise<void>

/** Speaks the protocol by hand, with a genuine identity. */
export async function misbehave(peer: Peer, conduct: Conduct): Promise<void> {
  const channel = peer.topic(topic)
  const subscription = channel.subscribe()
  await subscription.joined
  const say = (kind: Heard['kind'], ...fields: unknown[]): void => {
    channel.publish(encode([1, kinds.indexOf(kind), ...fields]), { recipients: 0 }).catch(() => undefined)
  }
  void (async () => {
    for await (const item of subscription) {
      if (item.type !== 'message') continue
      const [, kind, ...fields] = decode<[number, number, ...unknown[]]>(item.payload)
      await conduct({ kind: kinds[kind]!, fields, sender: item.sender }, say, peer.identity)
    }
  })().catch(() => undefined)
}

const keyOf = publicKeyFromPeerId

/** An acknowledgement with any proof, signed. */
async function signed(
  identity: Identity,
  asker: string,
  [nonce, , cid, bytes, blocks, challenge]: unknown[],
  proof: Uint8Array
): Promise<Uint8Array> {
  const challenged = Math.min(challenge as number, blocks as number)
  const fields = [identity.publicKey, keyOf(asker), cid, nonce, bytes, blocks, challenged, proof, 1, 86_400_000]
  const body = encode(fields)
  const domain = utf8.encode('p2pl/acknowledgement/1\0')
  const whole = new Uint8Array(domain.length + body.length)
  whole.set(domain)
  whole.set(body, domain.length)
  return encode([1, body, await identity.sign(whole)])
}

const offers: Conduct = ({ kind, fields: [nonce], sender }, say) => {
  if (kind === 'call') say('offer', nonce, keyOf(sender), true, 2 ** 40)
}

/** Says that it has everything, and signs it, with an invented proof. */
export const yesSayer: Conduct = async (heard, say, identity) => {
  await offers(heard, say, identity)
  if (heard.kind !== 'ask') return
  say('acknowledgement', await signed(identity, heard.sender, heard.fields, new Uint8Array(32).fill(7)))
}

/** Offers, and never answers. */
export const silent: Conduct = offers

/** Offers, and is always busy. */
export const busy: Conduct = async (heard, say, identity) => {
  await offers(heard, say, identity)
  if (heard.kind === 'ask') say('refusal', heard.fields[0], keyOf(heard.sender), 1)
}

/** Repeats the acknowledgements of others as they are, and signs their proofs as its own. */
export function copyist(): Conduct {
  let asked: { readonly sender: string; readonly fields: unknown[] } | undefined
  return async (heard, say, identity) => {
    await offers(heard, say, identity)
    if (heard.kind === 'ask') asked = heard
    if (heard.kind !== 'acknowledgement') return
    const [encoded] = heard.fields as [Uint8Array]
    say('acknowledgement', encoded)
    const [, body] = decode<[number, Uint8Array, Uint8Array]>(encoded)
    const proof = decode<unknown[]>(body)[7] as Uint8Array
    if (asked !== undefined) say('acknowledgement', await signed(identity, asked.sender, asked.fields, proof))
  }
}

/** Answers every ask with the first acknowledgement that it gave, which was for another nonce. */
export function recorder(): Conduct {
  let first: Uint8Array | undefined
  return async (heard, say, identity) => {
    await offers(heard, say, identity)
    if (heard.kind !== 'ask') return
    first ??= await signed(identity, heard.sender, heard.fields, new Uint8Array(32).fill(9))
    say('acknowledgement', first)
  }
}

/** Asks for content to be kept, in its own name. */
export function askFor(peer: Peer, to: readonly string[], cid: CID, bytes: number, nonce: Uint8Array): void {
  const hints = peer.network.self().map(({ network, id, addresses }) => [network, id, addresses])
  const fields = [nonce, to.map((id) => keyOf(id)), cid, bytes, 1, 256, true, hints]
  peer
    .topic(topic)
    .publish(encode([1, 2, ...fields]), { recipients: 0 })
    .catch(() => undefined)
}
