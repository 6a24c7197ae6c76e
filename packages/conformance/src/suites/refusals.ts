import type { Capabilities } from '@p2pl/core/backend'
import { check, equal, rejects, show } from '../kit/check.ts'
import type { Suite, Test } from '../kit/test.ts'
import { calls } from './calls.ts'

const supports = ['native', 'emulated', 'none']
const allowed: Readonly<Record<'messages' | 'blocks' | 'routing', Readonly<Record<string, readonly unknown[]>>>> = {
  messages: {
    delivery: ['at-most-once', 'reliable'],
    ordering: ['none', 'sender'],
    echo: [true, false],
    duplicates: ['delivered', 'collapsed'],
    peers: supports,
    recipients: supports,
    gaps: supports,
    validation: supports,
    sender: ['verified', 'claimed', 'none']
  },
  blocks: {
    persistence: ['none', 'process', 'power'],
    remote: [true, false],
    keepsFetched: [true, false],
    pins: supports,
    gc: supports,
    dag: supports
  },
  routing: {
    provide: supports,
    unprovide: supports,
    findProviders: supports,
    findPeer: supports,
    connect: supports
  }
}

/** A refused call, one test each: it can only be asked of a backend that declares it as `none`. */
const refused: readonly Test[] = calls.map((call) => ({
  name: `${call.operation} is refused with UNSUPPORTED where it is declared \`none\``,
  when: (c: Capabilities) => call.there(c) && !call.supported(c),
  run: async (t) => {
    const backend = (await t.shared('trio')).at(0)
    const invoke = await call.prepare()
    await t.soon(
      `${call.operation} is refused at once`,
      rejects(() => invoke(backend, t.signal), {
        backend,
        operation: call.operation,
        codes: ['UNSUPPORTED']
      })
    )
  }
}))

export const refusals: Suite = {
  name: 'capabilities',
  tests: [
    {
      name: 'each part is there exactly when its capability is',
      run: async (t) => {
        const backend = (await t.shared('trio')).at(0)
        for (const part of ['messages', 'blocks', 'routing'] as const)
          equal(
            backend[part] !== undefined,
            backend.capabilities[part] !== undefined,
            `\`${part}\` is there as declared`
          )
        if (backend.blocks !== undefined)
          equal(
            backend.blocks.getDag !== undefined,
            backend.capabilities.blocks?.dag !== 'none',
            'getDag is there exactly when `dag` is declared'
          )
      }
    },
    {
      name: 'capabilities have the values of the port',
      run: async (t) => {
        const { capabilities } = (await t.shared('trio')).at(0)
        check(
          capabilities.runtimes.length > 0 && capabilities.runtimes.every((name) => ['node', 'browser'].includes(name)),
          '`runtimes` names runtimes of the port',
          capabilities.runtimes
        )
        for (const part of ['messages', 'blocks', 'routing'] as const) {
          const declared = capabilities[part] as Readonly<Record<string, unknown>> | undefined
          if (declared === undefined) continue
          for (const [field, values] of Object.entries(allowed[part]))
            check(
              values.includes(declared[field]),
              `\`${part}.${field}\` is one of ${show(values)}`,
              declared[field] === undefined ? 'undefined' : declared[field]
            )
        }
        const { messages, blocks } = capabilities
        if (messages !== undefined) {
          check(messages.maxMessageBytes > 0, '`messages.maxMessageBytes` is positive', messages.maxMessageBytes)
          check(messages.pacing >= 0, '`messages.pacing` is 0 or more milliseconds', messages.pacing)
        }
        if (blocks !== undefined) check(blocks.hashes.includes(0x12), '`blocks.hashes` has sha2-256', blocks.hashes)
      }
    },
    {
      name: 'name and capabilities are constant from construction on, and as the fixture says',
      run: async (t) => {
        const network = await t.fresh(1)
        const backend = network.at(0)
        check(backend.name.length > 0, 'a backend has a name', backend.name)
        const before = JSON.stringify([backend.name, backend.capabilities])
        await t.within('start resolves', network.start(0))
        equal(JSON.stringify([backend.name, backend.capabilities]), before, 'start does not change the declaration')
        await t.within('stop resolves', backend.stop())
        equal(JSON.stringify([backend.name, backend.capabilities]), before, 'stop does not change the declaration')
        const { capabilities } = t.kit.fixture
        if (capabilities !== undefined)
          equal(
            JSON.stringify(sorted(backend.capabilities)),
            JSON.stringify(sorted(capabilities)),
            'the backends declare the capabilities of the fixture'
          )
      }
    },
    ...refused
  ]
}

/** The same value with its keys in one order, and `Infinity` told apart from `null`. */
function sorted(value: unknown): unknown {
  if (value === Infinity) return 'Infinity'
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, sorted(item)])
  )
}
