package treelock

// WindowsPath lets tests on any system see what FilePath makes of the names of Windows.
var WindowsPath = windowsPath
