import type { GrowthRole } from '../src/growth/growth.ts'

const growing: GrowthRole = async ({ peers }) => ({ measure: async () => ({ twice: peers * 2, same: 5 }) })

export default growing
