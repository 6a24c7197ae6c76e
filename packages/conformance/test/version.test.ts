import { expect, it } from 'vitest'
import { createFakeConformanceNetwork } from '../src/fake/index.ts'
import { failures, report, runKit } from './support.ts'

it('says that an adapter was made for another version of the port', async () => {
  const outcomes = await runKit(
    {
      name: 'old',
      create: (count) => {
        const network = createFakeConformanceNetwork(count)
        for (const backend of network.backends) Object.assign(backend, { [Symbol.for('@p2pl/backend/port')]: 0 })
        return network
      }
    },
    { only: /identity|start/ }
  )
  expect(failures(outcomes)).not.toEqual([])
  expect(report(outcomes)).toContain('was made for version 0 of the port, and this @p2pl/core has version 1')
})
