import type { Gossip, RpcMessage } from './engine.ts'

/** The most payload bytes in one RPC, unless it has a single message. Go nodes refuse a whole RPC above 1 MiB. */
const maxPayloadBytes = 512 * 1024

/**
 * Splits large RPCs. The engine answers a peer that asks for many messages with a single RPC of any size. Call it
 * before the engine starts.
 */
export function splitLargeRpcs(gossip: Gossip): void {
  const send = gossip.sendRpc.bind(gossip)
  gossip.sendRpc = (id, rpc) => {
    if (rpc.messages.length <= 1) return send(id, rpc)
    const [first = [], ...others] = portions(rpc.messages)
    // Each part is handed over even if one does not fit: a message that does not fit into the buffers is lost, as it
    // would be if sent alone.
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
