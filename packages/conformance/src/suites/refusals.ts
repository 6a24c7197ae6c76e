import { check, equal, rejects, show } from '../kit/check.ts'
import type { Suite, Test } from '../kit/test.ts'
import { portCalls } from './calls.ts'

const supports = ['native', 'emulated', 'none']
const allowed: Readonly<Record<'messages' | 'blocks' | 'routing', Readonly<Record<string, readonly unknown[]>>>> = {
  messages: {
    delivery: ['at-most-once', 'reliable'],
    ordering: ['none', 'sender'],
    echo: [true, false],
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
    gc: supports
  },
  routing: {
    provide: supports,
    unprovide: supports,
    findProviders: supports,
    findPeer: supports,
    connect: supports
  }
}

/** Limits that an engine may tell only while it runs. */
const limits = ['maxMessageBytes', 'pacing', 'maxBlockBytes', 'hashes', 'recordLifetime']

/** One test for each refused call. It applies only to a backend that declares the call as `none`. */
const refused: readonly Test[] = portCalls.map((call) => ({
  name: `${call.operation} is refused with UNSUPPORTED where it is declared \`none\``,
  when: (c) => call.there(c) && !call.supported(c),
  run: async (t) => {
    const backend = (await t.shared('trio')).at(0)
    const invoke = await call.prepare()
    await t.soon(
      `${call.operation} is refused at once`,
      rejects(() => invoke(backend, t.signal), { backend, operation: call.operation, codes: ['UNSUPPORTED'] })
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
      }
    },
    {
      name: 'capabilities have the values of the port',
      run: async (t) => {
        const { capabilities } = (await t.shared('trio')).at(0)
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
        const { messages, blocks, routing } = capabilities
        if (messages !== undefined) {
          check(messages.maxMessageBytes > 0, '`messages.maxMessageBytes` is positive', messages.maxMessageBytes)
          check(messages.pacing >= 0, '`messages.pacing` is 0 or more milliseconds', messages.pacing)
        }
        if (blocks !== undefined) {
          check(blocks.hashes.includes(0x12), '`blocks.hashes` has sha2-256', blocks.hashes)
          check(
            blocks.maxBlockBytes >= (1 << 20) + (1 << 16),
            '`blocks.maxBlockBytes` is at least 1 MiB + 64 KiB',
            blocks.maxBlockBytes
          )
        }
        if (routing !== undefined)
          check(routing.recordLifetime > 0, '`routing.recordLifetime` is positive', routing.recordLifetime)
      }
    },
    {
      name: 'name and capabilities are constant from construction on, limits of the engine apart, and as the fixture says',
      run: async (t) => {
        const network = await t.fresh(1)
        const backend = network.at(0)
        check(backend.name.length > 0, 'a backend has a name', backend.name)
        const { name } = backend
        const before = promises(backend.capabilities)
        await t.within('start resolves', network.start(0))
        equal(promises(backend.capabilities), before, 'start changes no more of the declaration than limits')
        await t.within('stop resolves', backend.stop())
        equal(promises(backend.capabilities), before, 'stop changes no more of the declaration than limits')
        equal(backend.name, name, 'the name of a backend stays')
        const { capabilities } = t.kit.fixture
        if (capabilities !== undefined)
          equal(before, promises(capabilities), 'the backends declare the capabilities of the fixture')
      }
    },
    ...refused
  ]
}

/** The declaration without limits, with its keys in a fixed order. */
function promises(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
    const entries = Object.entries(item).filter(([key, one]) => one !== undefined && !limits.includes(key))
    return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)))
  })
}
