import type { Fault, Schedule } from './schedule.ts'

/** One line per fault, in chronological order. */
export function printSchedule({ hosts, faults, duration }: Schedule): string {
  const lines = faults.map((fault) => {
    const time = `${seconds(fault.at)} for ${seconds(fault.for)}`
    return `  ${time.padEnd(24)} ${describe(fault)}`
  })
  return [`${hosts.length} hosts, ${faults.length} faults, all well after ${seconds(duration)}`, ...lines].join('\n')
}

function describe(fault: Fault): string {
  switch (fault.kind) {
    case 'partition':
      return `partition ${fault.groups.map((group) => list(group)).join(' | ')}`
    case 'block':
      return `block ${list(fault.from)} -> ${list(fault.to)}`
    case 'crash':
      return `crash ${fault.host}${fault.power ? ', unsynced blocks lost' : ''}${fault.skew === 0 ? '' : `, clock ${signed(fault.skew)}`}`
    case 'clock':
      return `clock ${fault.host} ${signed(fault.skew)}`
    case 'loss':
    case 'duplication':
      return `${fault.kind} ${fault.probability}`
    case 'delay':
      return `delay ${fault.ms} ms from ${list(fault.from)}`
    case 'slow':
      return `slow ${fault.host} x ${fault.factor}`
    case 'lie':
      return `lie ${fault.host}, blocks ${fault.blocks}, messages ${fault.messages}`
    default:
      return `late ${fault.host}`
  }
}

function list(ids: readonly string[]): string {
  const shown = ids.slice(0, 8).join(' ')
  return `{${ids.length > 8 ? `${shown} and ${ids.length - 8} more` : shown}}`
}

function signed(ms: number): string {
  return `${ms < 0 ? '-' : '+'}${seconds(Math.abs(ms))}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}
