/** The cheapest server there is; what the load generator does against it is the generator's own cost. */
const answer = JSON.stringify({ event_id: '$Wm9vbWluZ2hlcmVpc2FuZXZlbnRpZG9mNDNjaGFyYWN0ZXJz' })
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: 0,
  fetch: async (request) => {
    await request.text()
    return new Response(answer, { headers: { 'Content-Type': 'application/json' } })
  },
})
console.log(server.port)
