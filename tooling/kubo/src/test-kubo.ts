import { describeWith, type DescribeWithTool } from '@p2pl/tooling-go-tool/test'
import { kubo } from './ensure.ts'

/** A `describe` for tests that need a real daemon. */
export const describeWithKubo: DescribeWithTool = await describeWith(kubo)
