//! Interfaces made and set up over rtnetlink (`rtnetlink(7)`), in the network
//! namespace of the calling thread: no program has to be there for it.

use std::net::IpAddr;
use std::thread;
use std::time::{Duration, Instant};

use rustix::net::netdevice::name_to_index;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

/// `include/uapi/linux/rtnetlink.h`.
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;

/// `NLM_F_REQUEST` alone: what is asked for is the answer.
const REQUEST_ONLY: u16 = 0x001;
/// `NLM_F_REQUEST` and `NLM_F_ACK` (`include/uapi/linux/netlink.h`).
const REQUEST: u16 = 0x005;
/// Those, and `NLM_F_CREATE` and `NLM_F_EXCL`.
const CREATE: u16 = 0x605;

/// `AF_INET` and `AF_INET6` (`include/linux/socket.h`).
const INET: u8 = 2;
const INET6: u8 = 10;

/// Sets an interface up.
///
/// # Panics
/// If there is none of the name.
pub fn up(name: &str) {
    // `struct ifinfomsg`: family, padding, type, index, flags, change; of the
    // flags `IFF_UP`.
    let mut body = vec![0, 0, 0, 0];
    body.extend(index(name).to_ne_bytes());
    body.extend([1_u32.to_ne_bytes(), 1_u32.to_ne_bytes()].concat());
    request(RTM_NEWLINK, REQUEST, &body, &format!("set {name} up"));
}

/// Waits until an interface that is up carries packets, as its other end is up
/// too. What the kernel does about that comes a little later than the request,
/// and forgets neighbours: a packet that is on its way then is lost.
///
/// # Panics
/// If it does not within five seconds.
pub fn until_running(name: &str) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !is_running(name) {
        assert!(Instant::now() < deadline, "{name} does not come to carry packets");
        thread::yield_now();
    }
}

/// Whether the kernel has seen that both ends are up (`IFF_RUNNING`).
fn is_running(name: &str) -> bool {
    let mut body = vec![0, 0, 0, 0];
    body.extend(index(name).to_ne_bytes());
    body.extend([0; 8]);
    let answer = ask(RTM_GETLINK, REQUEST_ONLY, &body);
    // Behind the header, `ifi_flags` of `struct ifinfomsg`.
    let flags = answer.get(24..28).and_then(|bytes| bytes.try_into().ok());
    flags.map(u32::from_ne_bytes).is_some_and(|flags| flags & 0x40 != 0)
}

/// Makes a pair of interfaces, `here` in this namespace and `there` in that of
/// the thread or process of this number.
///
/// # Panics
/// If it cannot be made.
pub fn pair(here: &str, there: &str, number: i32) {
    let no_link = [0; 16];
    // `IFLA_NET_NS_PID` is 19, `IFLA_IFNAME` 3.
    let peer = [&no_link[..], &named(3, there), &attribute(19, &number.to_ne_bytes())].concat();
    // `IFLA_INFO_KIND` is 1 and `IFLA_INFO_DATA` 2, in it `VETH_INFO_PEER` 1.
    let info = [named(1, "veth"), attribute(2, &attribute(1, &peer))].concat();
    // `IFLA_LINKINFO` is 18.
    let body = [&no_link[..], &named(3, here), &attribute(18, &info)].concat();
    request(RTM_NEWLINK, CREATE, &body, &format!("make {here} and {there}"));
}

/// Gives an interface an address, at once and without asking whether somebody
/// else has it.
///
/// # Panics
/// If it cannot be given.
pub fn address(name: &str, address: IpAddr, length: u8) {
    let (family, bytes) = octets(address);
    // `struct ifaddrmsg`: family, length, flags, scope, index; of the flags
    // `IFA_F_NODAD`. `IFA_ADDRESS` is 1, `IFA_LOCAL` 2.
    let flags = if family == INET6 { 2 } else { 0 };
    let mut body = vec![family, length, flags, 0];
    body.extend(index(name).to_ne_bytes());
    body.extend(attribute(1, &bytes));
    body.extend(attribute(2, &bytes));
    request(RTM_NEWADDR, CREATE, &body, &format!("give {name} the address {address}"));
}

/// Sends everything of IPv4 that nothing else is known of over an interface.
///
/// # Panics
/// If it cannot be.
pub fn default_route(name: &str) {
    // `struct rtmsg`: family, lengths of destination and source, TOS, table
    // `RT_TABLE_MAIN`, protocol `RTPROT_BOOT`, scope `RT_SCOPE_LINK`, type
    // `RTN_UNICAST`, flags. `RTA_OIF` is 4.
    let mut body = vec![INET, 0, 0, 0, 254, 3, 253, 1, 0, 0, 0, 0];
    body.extend(attribute(4, &index(name).to_ne_bytes()));
    request(RTM_NEWROUTE, CREATE, &body, &format!("route over {name}"));
}

fn octets(address: IpAddr) -> (u8, Vec<u8>) {
    match address {
        IpAddr::V4(address) => (INET, address.octets().to_vec()),
        IpAddr::V6(address) => (INET6, address.octets().to_vec()),
    }
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(4 + value.len()).expect("short");
    let mut bytes = length.to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

fn named(kind: u16, name: &str) -> Vec<u8> {
    attribute(kind, &[name.as_bytes(), b"\0"].concat())
}

fn index(name: &str) -> u32 {
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)
        .expect("a socket");
    name_to_index(&socket, name).unwrap_or_else(|error| panic!("no interface {name}: {error}"))
}

/// Asks for one thing, which must be done.
fn request(kind: u16, flags: u16, body: &[u8], what: &str) {
    // `struct nlmsgerr` begins with the error, 0 if there is none.
    let answer = ask(kind, flags, body);
    let error = answer.get(16..20).and_then(|bytes| bytes.try_into().ok());
    let error = error.map(i32::from_ne_bytes);
    assert_eq!(error, Some(0), "cannot {what}: the kernel answers with this errno");
}

/// The first message that the kernel answers with.
fn ask(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
    // Without a protocol: `NETLINK_ROUTE` is number 0.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)
        .expect("a socket for rtnetlink");
    let length = u32::try_from(16 + body.len()).expect("short");
    let mut message = length.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(&socket, &message, SendFlags::empty(), &kernel).expect("the kernel hears");
    let mut answer = [0; 1024];
    let (_, length) =
        recv(&socket, &mut answer[..], RecvFlags::empty()).expect("the kernel answers");
    answer[..length.min(answer.len())].to_vec()
}
