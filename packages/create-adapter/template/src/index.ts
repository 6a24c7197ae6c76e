import { defineBackend, type Backend } from '@p2pl/core/backend'
// [full
import { openPins, openTables } from '@p2pl/embedded'
import { blockHooks } from './blocks.ts'
// full]
import { capabilitiesOf } from './capabilities.ts'
import { Engine } from './engine/engine.ts'
import { classify } from './errors.ts'
// [full
import { idIn, secretStore } from './identity.ts'
// full]
import { messageHooks } from './messages.ts'
import { settingsOf, type Options } from './options.ts'
import { routingHooks } from './routing.ts'

export type { Options } from './options.ts'

/** The placement settings of an app that this adapter accepts as options. The configuration of any p2pl app passes them. */
export const placement: readonly string[] = [
  // [full
  'dir',
  'durability',
  // full]
  'listen'
]

const network = 'my-net'

/** The adapter. The configuration of any p2pl app finds it by the name `backend`. */
export function backend(options?: Options): Backend {
  const settings = settingsOf(options)
  return defineBackend<Engine>({
    name: 'my-net',
    network,
    capabilities: capabilitiesOf(settings),
    classify,

    // [full
    open: async ({ signal, report }) => {
      const { dir, durability, listen } = settings
      const names = { blocks: 'b', pins: 'p', state: 's' }
      const opened = await openTables({ backend: 'my-net', dir, durability, names, report })
      const { tables } = opened
      try {
        const id = await idIn(tables.state)
        const pins = await openPins(tables.pins)
        const engine = await Engine.start({ id, blocks: tables.blocks, listen, report, signal })
        return {
          self: () => ({ id: engine.id, addresses: [engine.address] }),
          messages: messageHooks(engine, network),
          blocks: blockHooks(engine, tables.blocks, pins),
          routing: routingHooks(engine, network),
          secrets: dir === undefined ? undefined : secretStore(tables.state),
          engine,
          close: async () => {
            await engine.stop()
            await opened.close()
          }
        }
      } catch (error) {
        // A failed start leaves nothing behind.
        await opened.close()
        throw error
      }
    }
    // full]
    //| open: async ({ signal, report }) => {
    //|   const engine = await Engine.start({ listen: settings.listen, report, signal })
    //|   return {
    //|     self: () => ({ id: engine.id, addresses: [engine.address] }),
    //|     messages: messageHooks(engine, network),
    //|     routing: routingHooks(engine, network),
    //|     engine,
    //|     close: async () => await engine.stop()
    //|   }
    //| }
  })
}
