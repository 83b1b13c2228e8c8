'use strict'

const util = require('util')
const { EventEmitter } = require('events')
const connection = require('./connection')

const channelName = 'db:0:pubsub_channel'

function PubSub(options) {
  this.queue = []
  this.ready = connection.connect(options).then(async (client) => {
    this.subClient = client
    await this.subClient.subscribe(channelName)
    this.subClient.on('message', (channel, message) => {
      if (channel !== channelName) return
      const { event, data } = JSON.parse(message)
      this.emit(event, data)
    })
    this.pubClient = await connection.connect(options)
    this.queue.forEach((payload) => this.pubClient.publish(channelName, payload))
  })
}

util.inherits(PubSub, EventEmitter)

PubSub.prototype.publish = function (event, data) {
  const payload = JSON.stringify({ event, data })
  if (this.pubClient) this.pubClient.publish(channelName, payload)
  else this.queue.push(payload)
}

PubSub.prototype.close = function () {
  this.subClient.disconnect()
  this.pubClient.disconnect()
}

module.exports = PubSub
