// Finds the devices of a network with npm's onvif and reads what it can of
// each. Standard input: {"interface": name, "logins": {host: {user, password}}}.
// Standard output: one JSON value, a list of
//   {host, maker, model, firmware, serial, offset_s, streams: [token],
//    resolutions: ["WxH"], retentions: [duration], complaints: [text]},
// each left out where the library gave nothing.
//
// The library makes numbers of texts that look like one, a serial number too;
// they are handed on as it gives them.
const { Cam, Discovery } = require("onvif");

const list = (x) => (x === undefined || x === "" ? [] : Array.isArray(x) ? x : [x]);

async function read(found, login) {
  const cam = new Cam({
    hostname: found.hostname, port: found.port, path: found.path,
    username: login?.user, password: login?.password, autoconnect: false, timeout: 10000,
  });
  const device = { host: found.hostname, complaints: [] };
  const ask = (method) => new Promise((resolve) => cam[method]((err, answer) => {
    if (err) device.complaints.push(`${method}: ${err.message ?? err}`);
    resolve(err ? undefined : answer);
  }));
  cam.on("warning", (text) => device.complaints.push(String(text)));
  const time = await ask("getSystemDateAndTime");
  if (time) device.offset_s = (time.getTime() - Date.now()) / 1000;
  await ask("connect");
  const info = await ask("getDeviceInformation");
  if (info) {
    device.maker = info.manufacturer;
    device.model = info.model;
    device.firmware = info.firmwareVersion;
    device.serial = info.serialNumber;
  }
  device.streams = list(cam.profiles).map((p) => String(p.$.token));
  device.resolutions = list(cam.profiles)
    .map((p) => (p.videoEncoderConfiguration ?? p.configurations?.videoEncoder)?.resolution)
    .filter(Boolean).map((r) => `${r.width}x${r.height}`);
  if (cam.uri?.recording) {
    device.retentions = list(await ask("getRecordings")).map((r) => r.configuration.maximumRetentionTime);
  }
  return device;
}

async function main() {
  const input = JSON.parse(require("fs").readFileSync(0, "utf8"));
  Discovery.on("error", (err) => console.error(String(err)));
  const found = await new Promise((resolve) =>
    Discovery.probe({ device: input.interface }, (_, cams) => resolve(cams ?? [])));
  const devices = [];
  for (const cam of found) devices.push(await read(cam, input.logins[cam.hostname]));
  process.stdout.write(JSON.stringify(devices));
}

main().catch((err) => {
  console.error(err);
  process.exitCode = 1;
});
