import { manualClock, systemClock } from '#actors/kernel/clock.ts'
import { describe, expect, test } from 'bun:test'

describe('a clock moved by hand', () => {
  test('fires timers in the order of their times, each at its own time', () => {
    const clock = manualClock(0)
    const fired: [string, number][] = []
    const note = (name: string) => () => void fired.push([name, clock.now()])
    clock.after(30, note('late'))
    clock.after(10, note('early'))
    clock.after(10, note('early too'))
    clock.after(50, note('not yet'))
    clock.advance(40)
    expect({ fired, now: clock.now() }).toEqual({ fired: [['early', 10], ['early too', 10], ['late', 30]], now: 40 })
  })

  test('fires within one advance what a timer set off, and nothing that was called off', () => {
    const clock = manualClock(0)
    const fired: number[] = []
    const callOff = clock.after(25, () => fired.push(-1))
    clock.after(10, () => {
      callOff()
      clock.after(10, () => fired.push(clock.now()))
    })
    clock.advance(100)
    expect(fired).toEqual([20])
  })
})

describe('the real clock', () => {
  test('does not fire a timer of thirty days at once', async () => {
    let hasFired = false
    const callOff = systemClock.after(30 * 86_400_000, () => (hasFired = true))
    await Bun.sleep(20)
    callOff()
    expect(hasFired).toBe(false)
  })

  test('fires a short timer once, and not when it was called off', async () => {
    const fired: string[] = []
    systemClock.after(5, () => fired.push('kept'))
    systemClock.after(5, () => fired.push('called off'))()
    await Bun.sleep(30)
    expect(fired).toEqual(['kept'])
  })
})
