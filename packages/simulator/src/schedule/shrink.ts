import type { Fault, Schedule } from './schedule.ts'

/**
 * Smaller schedules, the boldest cut first: without half of the faults, without one fault, with one fault that lasts half
 * as long.
 */
export function* shrinkSchedule(schedule: Schedule): Generator<Schedule> {
  const { faults } = schedule
  const half = faults.length >> 1
  if (half > 0) {
    yield { ...schedule, faults: faults.slice(half) }
    yield { ...schedule, faults: faults.slice(0, half) }
  }
  for (let i = 0; i < faults.length; i++) yield { ...schedule, faults: faults.toSpliced(i, 1) }
  for (let i = 0; i < faults.length; i++) {
    const fault = faults[i] as Fault
    if (fault.for > 1) yield { ...schedule, faults: faults.with(i, { ...fault, for: fault.for >> 1 }) }
  }
}

/**
 * Makes a schedule smaller for as long as it still fails. `fails` runs a schedule; it is called at most `budget` times
 * (default 200).
 */
export async function minimizeSchedule(
  schedule: Schedule,
  fails: (candidate: Schedule) => Promise<boolean>,
  budget = 200
): Promise<Schedule> {
  let smallest = schedule
  let left = budget
  for (let smaller = true; smaller;) {
    smaller = false
    for (const candidate of shrinkSchedule(smallest)) {
      if (left-- <= 0) return smallest
      if (!(await fails(candidate))) continue
      smallest = candidate
      smaller = true
      break
    }
  }
  return smallest
}
