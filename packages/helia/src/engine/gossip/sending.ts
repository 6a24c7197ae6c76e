import type { Gossip, RpcMessage } from './engine.ts'

/** Payloads in one RPC, unless it has a single one. Go nodes refuse a whole RPC above 1 MiB. */
const maxPayloadBytes = 512 * 1024

/** The engine answers a peer that asks for many messages by a single RPC, however large. Before the engine starts. */
export function splitLargeRpcs(gossip: Gossip): void {
  const send = gossip.sendRpc.bind(gossip)
  gossip.sendRpc = (id, rpc) => {
    if (rpc.messages.length <= 1) return send(id, rpc)
    const [first = [], ...others] = portions(rpc.messages)
    // Each part is offered: what does not fit into the buffers now is lost, as it would be alone.
    const sent = send(id, { ...rpc, messages: first })
    for (const messages of others) send(id, { subscriptions: [], messages })
    return sent
  }
}

function portions(messages: readonly RpcMessage[]): RpcMessage[][] {
  const result: RpcMessage[][] = []
  let bytes = Infinity
  for (const message of messages) {
    bytes += message.data?.byteLength ?? 0
    if (bytes > maxPayloadBytes) {
      result.push([])
      bytes = message.data?.byteLength ?? 0
    }
    result.at(-1)?.push(message)
  }
  return result
}
