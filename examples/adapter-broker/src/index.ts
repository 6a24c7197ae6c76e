import { checkKeys, checkNumber, defineBackend, type Backend, type Capabilities } from '@p2pl/core/backend'
import { maxPayload } from './protocol.ts'
import { Session } from './session.ts'

export interface BrokerOptions {
  /** The port of the broker on this machine. */
  readonly port: number
}

export const capabilities: Capabilities = {
  messages: {
    // TCP loses and reorders nothing while a connection lasts, and its end is known: that is a gap.
    delivery: 'reliable',
    ordering: 'sender',
    gaps: 'emulated',
    echo: false,
    maxMessageBytes: maxPayload,
    pacing: 0,
    recipients: 'native',
    peers: 'none',
    validation: 'none',
    // The broker believes what a client says of itself.
    sender: 'claimed'
  }
}

/** Messages over a broker. By the name `backend`, the configuration of any p2pl app finds it. */
export function backend(options: BrokerOptions): Backend {
  checkKeys('broker', options, ['port'])
  const port = checkNumber('broker', 'port', options.port, { min: 1, max: 65_535, integer: true }, 0)

  return defineBackend<Session>({
    name: 'broker',
    network: 'broker',
    capabilities,

    open: async (life) => {
      const session = await Session.open(port, life)
      return {
        self: () => ({ id: session.id, addresses: [] }),
        messages: {
          publish: async (topic, payload) => {
            const request = { publish: topic, payload: Buffer.from(payload).toString('base64') }
            const { recipients = 0 } = await session.request(request)
            return { recipients }
          },
          join: async (topic, subscriber) => {
            await session.join(topic, subscriber)
            return { close: async () => await session.leave(topic) }
          }
        },
        engine: session,
        close: async () => await session.close()
      }
    },

    classify: (error) =>
      error instanceof Error && 'code' in error
        ? { code: 'UNREACHABLE', message: `no broker answers on port ${port}: start it, or name its port` }
        : undefined
  })
}
