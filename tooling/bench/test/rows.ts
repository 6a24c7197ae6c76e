import type { Result, Row } from '../src/harness/run.ts'

export const result: Result = {
  label: 'p2pl',
  kind: 'p2pl',
  figure: 80,
  samples: [80, 79, 82],
  cpu: 0.004,
  peak: 120,
  wire: { bytes: 300, packets: 2 },
  also: { 'p99 ms': 4.56 },
  comparison: undefined,
  aim: 70,
  met: true
}

export const row: Row = {
  name: 'add',
  title: 'adding',
  unit: 'MiB/s',
  better: 'higher',
  load: 0.5,
  results: [
    result,
    {
      ...result,
      label: 'bare',
      kind: 'engine',
      figure: 100,
      samples: [99, 100, 101],
      wire: undefined,
      also: {},
      comparison: { ratio: 0.8, spread: [0.7, 0.9] },
      aim: 0.97,
      met: false
    }
  ],
  notes: ['3 lost'],
  failures: []
}
